/** Edits as a command line has them: words, one edit from the next by a `+`. */
import type { RepairEdit } from "./types.js";

export const editUsage: readonly string[] = [
  "set URI KEY=VALUE             one key of a row; nested keys by path: log.enabled=false",
  "change-id URI [ID|auto]       another id for a table",
  "create-table NAME --config CONFIG [--rows FILE]",
  "                              a new table, empty or with rows as `wt dump -x` prints them",
  "insert URI CONFIG             a new row",
  "remove URI                    a row less; files stay",
  "fix duplicates                every table that shares its id with another gets its own",
  "fix checkpoint-size           checkpoints that say another size than their tree has",
];

/** Several edits are made one after the other and published at once. @throws Error with what is wrong */
export function parseEdits(words: readonly string[]): RepairEdit[] {
  const edits: RepairEdit[] = [];
  let own: string[] = [];
  for (const word of [...words, "+"]) {
    if (word !== "+") own.push(word);
    else {
      edits.push(parseEdit(own));
      own = [];
    }
  }
  return edits;
}

function parseEdit([name, ...words]: readonly string[]): RepairEdit {
  switch (name) {
    case "set": {
      const [uri, assignment] = exactly(name, words, 2);
      const at = (assignment as string).indexOf("=");
      if (at < 1) throw new Error(`set: ${assignment} is not KEY=VALUE`);
      return {
        edit: "set",
        uri: uri as string,
        key: assignment.slice(0, at),
        value: assignment.slice(at + 1),
      };
    }
    case "change-id": {
      if (words.length < 1 || words.length > 2) throw new Error("change-id takes a URI, and an id or auto");
      return { edit: "change-id", uri: plain(name, words[0] as string), id: plain(name, words[1] ?? "auto") };
    }
    case "insert": {
      const [uri, config] = exactly(name, words, 2);
      return { edit: "insert", uri, config };
    }
    case "remove": {
      const [uri] = exactly(name, words, 1);
      return { edit: "remove", uri };
    }
    case "create-table":
      return createTable(words);
    case "fix": {
      const [what] = exactly(name, words, 1);
      if (what === "duplicates") return { edit: "fix-duplicates" };
      if (what === "checkpoint-size") return { edit: "fix-checkpoint-size" };
      throw new Error(`fix: there is no ${what}; there are duplicates and checkpoint-size`);
    }
    default:
      throw new Error(name === undefined ? "an edit is missing" : `there is no edit ${name}`);
  }
}

function exactly(name: string, words: readonly string[], count: number): [string, string] {
  if (words.length !== count) throw new Error(`${name} takes ${count} words, not ${words.length}`);
  return words.map((word) => plain(name, word)) as [string, string];
}

/** No option has found its way among the words. */
function plain(name: string, word: string): string {
  if (word.startsWith("-")) throw new Error(`${name}: there is no option ${word}`);
  return word;
}

function createTable(words: readonly string[]): RepairEdit {
  const found = new Map<string, string>();
  const names: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [, option, inline] = /^--(config|rows)(?:=(.*))?$/s.exec(word) ?? [];
    if (option === undefined) names.push(plain("create-table", word));
    else {
      const value = inline ?? words[++at];
      if (value === undefined) throw new Error(`create-table: --${option} needs a value`);
      if (found.has(option)) throw new Error(`create-table: --${option} twice`);
      found.set(option, value);
    }
  }
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) throw new Error("create-table takes one name");
  const rows = found.get("rows");
  return {
    edit: "create-table",
    name: name.replace(/^table:/, ""),
    config: found.get("config") ?? "",
    ...(rows !== undefined && { rows }),
  };
}
