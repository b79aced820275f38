/** Keys that come twice in one object of a JSON text: `JSON.parse` drops the first without a word. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The first repeated key and the character offset where it is repeated. `text` must be JSON. */
export function duplicateKey(text: string): { key: string; offset: number } | undefined {
  /** The keys so far of each open object; undefined for an open list. */
  const open: Array<Set<string> | undefined> = [];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "{") open.push(new Set());
    else if (letter === "[") open.push(undefined);
    else if (letter === "}" || letter === "]") open.pop();
    else if (letter === '"') {
      const end = stringEnd(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (keys.has(key)) return { key, offset: at };
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Whether a colon follows. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (" \n\r\t".includes(text[at] ?? "x")) at++;
  return text[at] === ":";
}

/** Behind the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
  return at + 1;
}
