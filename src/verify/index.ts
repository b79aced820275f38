/** The verifier: every check of a dump, as findings. */
export type { Finding } from "./finding.js";
export type { InputReport, VerifyOptions, VerifyReport, VerifySummary } from "./types.js";
export { verify } from "./verify.js";
