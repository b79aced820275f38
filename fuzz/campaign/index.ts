/** What the command line uses of the fuzzing kit; loaded only when it is asked for. */
export { ourDefects, runEngineCampaign, verdicts } from "../engine/differential.js";
export { targetByName, targets } from "../targets/index.js";
export { CampaignError, instrumentedBundle } from "./bundle.js";
export { type CampaignFinding, type CampaignStatus, runCampaign } from "./campaign.js";
export { type Distilled, Distiller } from "./distill.js";
export { coverageOf } from "./field-coverage.js";
export { mergedMarkdown, mergeReports } from "./merged.js";
export { minimize } from "./minimize.js";
export { type ReplayResult, replay, targetOf, UnknownTarget } from "./replay.js";
export { type CampaignReport, campaignHtml, campaignJson, campaignText, reproduce } from "./report.js";
export { type Outcome, Runner } from "./runner.js";
