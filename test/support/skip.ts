/**
 * How a test says that it cannot run here: `if (!wt) return skipped("no wt command");`. The runner counts and
 * lists it; with CI=true and PUGMARK_REQUIRE_ENGINE=1 a skip for want of the engine or a browser is a failure.
 */
import { type Need, SKIP_LISTENER, type SkipListener } from "../../tools/test-runner/protocol.js";

/** `needs` says what was missing; pass "other" only if CI may go without it. */
export function skipped(reason: string, needs: Need = "engine"): void {
  const listener = (globalThis as { [SKIP_LISTENER]?: SkipListener })[SKIP_LISTENER];
  if (listener) listener(reason, needs);
  else process.stderr.write(`SKIPPED: ${reason}\n`);
}
