/** The codec engine: declare a format once, get parse, build, validate, annotate, describe and generate. */
export type { Span } from "./annotate.js";
export { attachIssues, declarationOf } from "./annotate.js";
export {
  type ConfigBlock,
  type ConfigEntry,
  type ConfigOptions,
  type ConfigStruct,
  type ConfigSyntax,
  type ConfigTree,
  type ConfigValue,
  configText,
  parseConfig,
  writeConfig,
  writeConfigValue,
} from "./config.js";
export {
  type ConfigInput,
  type ConfigPath,
  configAdd,
  configDuplicates,
  configEntry,
  configGet,
  configGetAll,
  configGetStruct,
  configGetText,
  configRemove,
  configSet,
} from "./config-edit.js";
export {
  formatSigned64,
  formatSize,
  parseBoolean,
  parseHex64,
  parseSigned64,
  parseSize,
  parseUnsigned64,
} from "./config-scalar.js";
export * as configSchema from "./config-schema.js";
export { crc32c, crc32cWithZeroedField } from "./crc32c.js";
export { Cursor, Writer } from "./cursor.js";
export { type Description, toMarkdown } from "./describe.js";
export { FormatError, type FormatErrorInit, joinPath } from "./error.js";
export * from "./expression.js";
export { type FixedCodec, fixedCodec, fixedPrefix, hasFixedLayout } from "./fixed/index.js";
export {
  type Format,
  type FormatInfo,
  format,
  type GenerationOptions,
  type GenerationValue,
  generations,
  type Reading,
  type ReadOptions,
  strict,
  type WriteOptions,
} from "./format.js";
export { hasErrors, type Issue, issueOf } from "./issue.js";
export { bytesToHex, hexToBytes, type JsonOptions, secretSummary } from "./json.js";
export { type FixedOffsets, offsetsOf } from "./offsets.js";
export {
  PACKED_WIDE,
  PACKED_ZERO,
  packedLength,
  packedSize,
  peekPackedNumber,
  readPackedNumber,
  readPackedSigned,
  readPackedUnsigned,
  skipPackedUnsigned,
  writePackedSigned,
  writePackedUnsigned,
} from "./packed.js";
export { type RandomSource, randomU64, seededRandom } from "./random.js";
export * from "./schema.js";
export { decodeText, encodeText } from "./text.js";
export { recordForm, type TextForm, type TextVariant, textFormat, textGenerations } from "./text-format.js";
