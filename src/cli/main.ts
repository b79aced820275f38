#!/usr/bin/env node
import { readFileSync } from "node:fs";

const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
const { version } = manifest as { version: string };
process.stdout.write(`pugmark ${version}\n`);
