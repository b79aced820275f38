import type { Detected, Run } from "../run.js";
export function verifyLogs(_home: string, _files: readonly string[], _run: Run, _detected: Detected): void {}
