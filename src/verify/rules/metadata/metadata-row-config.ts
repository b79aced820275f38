import { metadataRow } from "../../../../formats/metadata-row.js";
import { parseConfig } from "../../../codec/config.js";
import { FormatError } from "../../../codec/error.js";
import { encodeText } from "../../../codec/text.js";
import { impossibleKey } from "../../../tree/table-config.js";
import type { MetadataSubject } from "../../metadata.js";
import type { Rule } from "../../rule.js";

/** Values of metadata rows. */
export const metadataRowConfig: Rule<MetadataSubject> = {
  code: "metadata-row-config",
  severity: "error",
  title: "every metadata value is configuration text with values of their types",
  doc: "Metadata rows hold URI and configuration as NUL-terminated text (turtle and disagg metadata §5).",
  check({ rows }, found) {
    for (const { uri, value, place, terminated = true } of rows) {
      if (!terminated)
        found({
          ...place,
          table: uri,
          message: `URI or configuration of ${uri} does not end with a NUL`,
          consequence: "the engine does not find the row, or reads on behind it: the table may not open",
        });
      const error = configError(uri, value);
      const wrong =
        error === undefined
          ? valueErrors(uri, value)
          : [{ path: error.path, message: `cannot be read at character ${error.offset}: ${error.message}` }];
      for (const { path, message } of wrong)
        found({
          ...place,
          table: uri,
          field: path,
          message: `the configuration of ${uri} ${message}`,
          consequence: "the table cannot be opened",
        });
    }
  },
};

/** What the declaration says of the values: numbers that are none, lists of another length. */
const valueErrors = (uri: string, value: string): Array<{ path: string | undefined; message: string }> =>
  metadataRow
    .read(encodeText(`${uri}\0${value}\0`))
    .issues.filter(({ severity }) => severity === "error")
    .map(({ path, message }) => ({ path, message: `is wrong at ${path}: ${message}` }));

function configError(uri: string, value: string): FormatError | undefined {
  try {
    return uri.startsWith("file:") ? impossibleKey(value) : void parseConfig(value);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}
