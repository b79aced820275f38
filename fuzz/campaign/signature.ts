/** Which defect an error is of: two inputs with the same signature broke the same thing. */

/** Frames that take part: the deeper ones differ between inputs. */
const FRAMES = 4;

export function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown ${typeof error}: ${mask(String(error)).slice(0, 80)}`;
  const frames = framesOf(error.stack ?? "").slice(0, FRAMES);
  return `${error.name}: ${mask(error.message).slice(0, 120)} @ ${frames.join(" < ")}`;
}

/** Numbers and hex strings differ between inputs of the same defect. */
const mask = (text: string): string => text.replaceAll(/\b(0x[0-9a-f]+|[0-9a-f]*[0-9][0-9a-f]*n?)\b/gi, "#");

/** Names of functions; positions change with every build. */
function framesOf(stack: string): string[] {
  return stack
    .split("\n")
    .map((line) => /^\s+at (?:async )?(?:new )?([\w.$<>#]+)/.exec(line)?.[1])
    .filter((name) => name !== undefined && !name.startsWith("node:"))
    .map((name) => name as string);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
export const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? "") : "");
