/** Colours by role. They are applied while text is made, never stored in a value. */
export type Role =
  | "error"
  | "warning"
  | "info"
  | "good"
  | "strong"
  | "faint"
  | "name"
  | "symbol"
  | `range${0 | 1 | 2 | 3 | 4 | 5}`;

/** Puts a role's look around a text. */
export type Palette = (role: Role, text: string) => string;

/** Text as it is. */
export const plainPalette: Palette = (_role, text) => text;

/** SGR codes every terminal of the last decades knows: begin and end. */
const SGR: Readonly<Record<Role, readonly [number, number]>> = {
  error: [31, 39],
  warning: [33, 39],
  info: [36, 39],
  good: [32, 39],
  strong: [1, 22],
  faint: [2, 22],
  name: [34, 39],
  symbol: [35, 39],
  range0: [36, 39],
  range1: [33, 39],
  range2: [32, 39],
  range3: [35, 39],
  range4: [34, 39],
  range5: [31, 39],
};

/** Colours for a terminal. */
export const terminalPalette: Palette = (role, text) => {
  const [begin, end] = SGR[role];
  return text === "" ? text : `\u001b[${begin}m${text}\u001b[${end}m`;
};

/** One of six colours, the same for the same index. */
export const rangeRole = (index: number): Role => `range${(index % 6) as 0 | 1 | 2 | 3 | 4 | 5}`;
