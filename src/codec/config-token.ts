/** Tokens of configuration text: what quotes and backslashes mean, and when they are needed. */

/** Takes quotes and backslash escapes (those of JSON; any other character stands for itself) off a token. */
export function unquote(raw: string): string {
  if (!raw.startsWith('"')) return raw;
  const inner = raw.slice(1, -1);
  if (!inner.includes("\\")) return inner;
  return inner.replace(escapeText, (_all, unicode: string | undefined, letter: string) =>
    unicode === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(unicode, 16)),
  );
}

/** Text as a token: bare where that reads back the same, quoted otherwise. */
export function quoteIfNeeded(text: string): string {
  return plainToken.test(text) ? text : quote(text);
}

/** Text as a quoted token. */
export function quote(text: string): string {
  return `"${text.replace(toEscape, (char) => letters[char] ?? unicodeEscape(char))}"`;
}

const unicodeEscape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

const escapeText = /\\(?:u([0-9A-Fa-f]{4})|([\s\S]))/g;
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const letters: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const toEscape = /["\\\u0000-\u001f\u007f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a bare token cannot hold them
const plainToken = /^[-_0-9A-Za-z./][^\u0000-\u0020\u007f:=,()[\]{}"\\]*$/;
