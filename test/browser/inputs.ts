/** What the browser decodes: every kind of real sample, and a damaged page. */
import { bytesToHex } from "../../src/codec/index.js";
import {
  compressedLeaves,
  cookies,
  cryptPages,
  oldTurtle,
  pages,
  turtle,
  turtleRecord,
} from "../support/samples.js";
import type { CoreInput } from "./core.js";

export function realInputs(): CoreInput[] {
  const samples = [...pages, ...compressedLeaves, ...cookies, ...cryptPages, turtle, oldTurtle, turtleRecord];
  const leaf = pages[0]!.bytes.slice();
  leaf[100]! ^= 1;
  return [...samples, { format: "page", bytes: leaf }].map(({ format, bytes }) => ({
    format,
    hex: bytesToHex(bytes),
  }));
}
