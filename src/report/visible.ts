/** Text from damaged input made safe to show: nothing in it can steer a terminal or reorder a line. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;
const UNSAFE_IN_JSON = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Control characters and marks without width as `\x1b` or `\u202e`; a byte kept by `decodeText` as `\xff`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\n") return "\\n";
  if (code >= 0xdc80 && code <= 0xdcff) return hexEscape(code - 0xdc00);
  return code < 0x100 ? hexEscape(code) : `\\u${code.toString(16).padStart(4, "0")}`;
}

const hexEscape = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;

/** JSON text with the characters JSON leaves alone and terminals do not. */
export function visibleJson(json: string): string {
  return json.replace(
    UNSAFE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
