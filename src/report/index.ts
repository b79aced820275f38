/** From values to text, JSON, SARIF and HTML. Pure: nothing is read, nothing is printed. */
export { detectedLine } from "./detected.js";
export { type HexdumpOptions, hexdumpText, plainHexdump } from "./hexdump.js";
export { type HtmlOptions, verifyHtml } from "./html.js";
export {
  findingJson,
  findingLine,
  jsonDocument,
  jsonLine,
  plainValue,
  summaryLine,
  verifyJson,
} from "./json.js";
export { byteCount, grouped } from "./numbers.js";
export { type Palette, plainPalette, type Role, terminalPalette } from "./palette.js";
export { type RuleText, type SarifOptions, sarifLog, verifySarif } from "./sarif.js";
export { type SpanJsonOptions, spanJson } from "./span-json.js";
export type { Hide } from "./span-text.js";
export { type TextOptions, verifyText } from "./text.js";
export { type TreeOptions, treeText } from "./tree.js";
export { visible } from "./visible.js";
