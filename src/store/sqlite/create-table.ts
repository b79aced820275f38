/**
 * What a CREATE TABLE or CREATE INDEX statement says about how rows are stored: the columns a record has, in order,
 * and the columns an index sorts by. Only as much SQL as that takes.
 */

export interface StoredColumn {
  /** Lower case: SQLite's names are the same in either. */
  readonly name: string;
  /** Stands for the row id; the record holds NULL. */
  readonly isRowid: boolean;
}

export interface TableShape {
  /** Columns of a record, in its order: generated ones that are not stored are left out. */
  readonly stored: readonly StoredColumn[];
  /** Columns computed from others when read. */
  readonly generated: readonly string[];
  /** Columns of the primary key, unless that is the row id. */
  readonly primaryKey: readonly string[];
  /** A table whose rows stand in the tree of its primary key. */
  readonly withoutRowid: boolean;
}

const CONSTRAINTS = new Set(["constraint", "primary", "unique", "check", "foreign"]);

/** Undefined for a statement that is no plain CREATE TABLE. */
export function parseCreateTable(sql: string): TableShape | undefined {
  const tokens = tokenize(sql);
  const open = tokens.findIndex(({ text }) => text === "(");
  const close = closing(tokens, open);
  const isTable = word(tokens[0]) === "create" && tokens.slice(1, 3).some((token) => word(token) === "table");
  if (!isTable || open < 0 || close < 0) return undefined;
  const parts = split(tokens.slice(open + 1, close));
  const columns = parts.filter((part) => !CONSTRAINTS.has(word(part[0]))).map(parseColumn);
  const constraint = parts.find((part) => CONSTRAINTS.has(word(part[0])) && isPrimaryKey(part));
  const keyed = columns.filter(({ isKey }) => isKey);
  const primaryKey = constraint === undefined ? keyed.map(({ name }) => name) : indexedColumns(constraint);
  const withoutRowid = tokens.slice(close + 1).some((token) => word(token) === "without");
  return shapeOf(columns, primaryKey, withoutRowid);
}

/** The columns an index of all rows sorts by, ascending; undefined when it is of some other kind. */
export function parseCreateIndex(sql: string): readonly string[] | undefined {
  const tokens = tokenize(sql);
  const open = tokens.findIndex(({ text }) => text === "(");
  const close = closing(tokens, open);
  if (word(tokens[0]) !== "create" || open < 0 || close < 0 || close < tokens.length - 1) return undefined;
  const parts = split(tokens.slice(open + 1, close));
  const plain = parts.every((part) => part.length === 1 || (part.length === 2 && word(part[1]) === "asc"));
  return plain ? parts.map((part) => name(part[0])) : undefined;
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}
interface Column {
  readonly name: string;
  readonly type: string;
  readonly isKey: boolean;
  readonly isVirtual: boolean;
}

/** No statement of a page log comes near; more is damage. */
const MAX_SQL = 65_536;
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|'((?:[^']|'')*)'|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(.)/gy;

function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const match of sql.slice(0, MAX_SQL).matchAll(TOKEN)) {
    const [, double, back, bracket, single, bare, other] = match;
    const quoted = double ?? back ?? bracket ?? single;
    if (quoted !== undefined) tokens.push({ text: quoted.replace(/(["`'])\1/g, "$1"), quoted: true });
    else if (bare !== undefined || other !== undefined)
      tokens.push({ text: bare ?? (other as string), quoted: false });
  }
  return tokens;
}

/** A token as a keyword. */
const word = (token: Token | undefined): string =>
  token === undefined || token.quoted ? "" : token.text.toLowerCase();
/** A token as a name. */
const name = (token: Token | undefined): string => (token?.text ?? "").toLowerCase();
const is = (token: Token | undefined, text: string): boolean =>
  token?.quoted === false && token.text === text;

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at >= 0 && at < tokens.length; at++) {
    if (is(tokens[at], "(")) depth++;
    else if (is(tokens[at], ")") && --depth === 0) return at;
  }
  return -1;
}

/** The parts between the commas that are in no inner parentheses. */
function split(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (is(token, "(")) depth++;
    else if (is(token, ")")) depth--;
    if (depth === 0 && is(token, ",")) parts.push([]);
    else (parts[parts.length - 1] as Token[]).push(token);
  }
  return parts.filter((part) => part.length > 0);
}

function parseColumn(tokens: readonly Token[]): Column {
  const words = outerWords(tokens.slice(1));
  const generated = words.indexOf("as") >= 0;
  return {
    name: name(tokens[0]),
    type: words[0] ?? "",
    isKey: words.some((text, at) => text === "primary" && words[at + 1] === "key"),
    isVirtual: generated && !words.includes("stored"),
  };
}

/** Keywords that stand in no parentheses: not those of a DEFAULT or CHECK expression. */
function outerWords(tokens: readonly Token[]): string[] {
  let depth = 0;
  return tokens.flatMap((token) => {
    if (is(token, "(")) depth++;
    else if (is(token, ")")) depth--;
    return depth === 0 && word(token) !== "" ? [word(token)] : [];
  });
}

const isPrimaryKey = (part: readonly Token[]): boolean =>
  part.some((token, at) => word(token) === "primary" && word(part[at + 1]) === "key");

function indexedColumns(constraint: readonly Token[]): string[] {
  const open = constraint.findIndex((token) => is(token, "("));
  return split(constraint.slice(open + 1, closing(constraint, open))).map((part) => name(part[0]));
}

function shapeOf(
  columns: readonly Column[],
  primaryKey: readonly string[],
  withoutRowid: boolean,
): TableShape {
  const [only] = primaryKey;
  const rowid =
    primaryKey.length === 1 && !withoutRowid
      ? columns.find((column) => column.name === only && column.type === "integer")?.name
      : undefined;
  const stored = columns.filter(({ isVirtual }) => !isVirtual).map((column) => column.name);
  // Without row ids, a record begins with the key it is sorted by.
  const order = withoutRowid
    ? [...primaryKey, ...stored.filter((column) => !primaryKey.includes(column))]
    : stored;
  return {
    stored: order.map((column) => ({ name: column, isRowid: column === rowid })),
    generated: columns.filter(({ isVirtual }) => isVirtual).map((column) => column.name),
    primaryKey: rowid === undefined ? primaryKey : [],
    withoutRowid,
  };
}
