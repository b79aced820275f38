import { jsonDocument } from "../../report/json.js";
import type { FuzzAction } from "./options.js";

/** Every target with its oracle. */
export const list: FuzzAction = async (kit, { json }, terminal) => {
  const targets = kit.targets.map(({ name, oracle }) => ({ name, oracle }));
  const lines = targets.map(({ name, oracle }) => `${terminal.palette("strong", name)}\n  ${oracle}\n`);
  await terminal.write(json ? jsonDocument({ schemaVersion: 1, targets }) : lines.join(""));
  return true;
};
