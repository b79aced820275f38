/** `pugmark tree PATH TABLE` */
import type { Command } from "commander";
import type { TreeShape } from "../../tree/shape.js";
import type { DatabaseOptions, Table, TreeProblem } from "../../tree/types.js";
import type { CommandModule } from "../command.js";
import {
  CHECKPOINT_HELP,
  databaseOptions,
  declareDatabase,
  type Flags,
  problemLine,
  problemsExit,
  withDatabase,
} from "../database.js";
import type { ExitCode } from "../exit.js";
import type { Terminal } from "../terminal.js";

interface TreeCommandOptions {
  readonly path: string;
  readonly table: string;
  readonly checkpoint: string | undefined;
  readonly json: boolean;
  readonly database: DatabaseOptions;
}

export const treeCommand: CommandModule<TreeCommandOptions> = { declare, validate, run };

function declare(command: Command): void {
  command
    .argument("<path>", "page log, classic directory or .wt file")
    .argument("<table>", "t, table:t, file:t.wt, layered:t, file:t.wt_stable, …")
    .option("--checkpoint <name>", CHECKPOINT_HELP)
    .option("--json", "one JSON document");
  declareDatabase(command);
}

function validate([path, table]: readonly unknown[], flags: Flags): TreeCommandOptions {
  return {
    path: path as string,
    table: table as string,
    checkpoint: flags.checkpoint as string | undefined,
    json: flags.json === true,
    database: databaseOptions(flags),
  };
}

/** Pages that cannot be read are named and left out of the counts. */
async function run(options: TreeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const [{ shapeOf }, { jsonDocument }] = await Promise.all([
    import("../../tree/index.js"),
    import("../../report/json.js"),
  ]);
  return withDatabase(options.path, options.database, terminal, async (database) => {
    const table = database.table(options.table, options.checkpoint);
    const problems: TreeProblem[] = [];
    const shape = shapeOf(table, { onProblem: (problem) => void problems.push(problem) });
    const all = [...database.problems, ...problems];
    for (const problem of all) terminal.fail(problemLine(problem));
    const { info, checkpoint } = table;
    if (options.json)
      await terminal.write(
        jsonDocument({ schemaVersion: 1, table: info, checkpoint, ...shape, problems: all }),
      );
    else await terminal.write(await shapeText(table, shape, terminal));
    return problemsExit(all);
  });
}

const COLUMNS = ["depth", "kind", "pages", "entries", "entriesPerPage", "stored", "plain", "fill", "deltas"];

async function shapeText(table: Table, shape: TreeShape, { palette }: Terminal): Promise<string> {
  const { tableText } = await import("../../report/table.js");
  const rows = shape.levels.map((level) => ({
    ...level,
    entriesPerPage: Number((level.entries / level.pages).toFixed(1)),
    fill: `${Math.round((100 * level.plain) / level.pages / level.largestPlain)} %`,
  }));
  const facts = [
    `${table.info.name}${table.checkpoint === undefined ? "" : `, ${table.checkpoint.name}`}`,
    `depth ${shape.depth}`,
    `${shape.overflowItems} overflow items`,
    `${shape.deletedChildren} deleted children`,
  ].join(", ");
  const chains = shape.chains.filter(({ deltas }) => deltas > 0);
  return [
    `${palette("strong", facts)}\n`,
    rows.length === 0 ? `${palette("faint", "no pages")}\n` : tableText(COLUMNS, rows, palette),
    palette("faint", "bytes; fill: plain bytes of a page on average, of the level's largest page\n"),
    chains.length === 0
      ? ""
      : `\n${palette("strong", "Chains")}\n${tableText(["deltas", "pages"], shape.chains, palette)}`,
  ].join("");
}
