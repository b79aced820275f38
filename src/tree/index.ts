/** Tables and rows out of page logs and classic files. Node only; everything is opened read-only. */
export { openDatabase } from "./open.js";
export type { PageChange, PageVersion } from "./page-history.js";
export { placeText, TreeError, type TreeErrorCode } from "./problem.js";
export { type LevelShape, shapeOf, type TreeShape } from "./shape.js";
export type {
  CheckpointInfo as DatabaseCheckpoint,
  Database,
  DatabaseOptions,
  KeyRange,
  PagePart,
  PagePlace,
  PartOrigin,
  ProblemCode,
  ReportProblem,
  RowOptions,
  Table,
  TableInfo,
  TableReader,
  TableSize,
  TreeKey,
  TreeLeaf,
  TreePage,
  TreeProblem,
  TreeRow,
} from "./types.js";
