/** The configuration files of a home: an engine that cannot read them opens nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BASE_CONFIG_KEYS_UNTIL, baseConfigKeys } from "../../../formats/base-config.js";
import { configFile } from "../../../formats/config.js";
import { type ConfigEntry, type ConfigValue, configText } from "../../codec/config.js";
import { readSmall } from "../../store/small-file.js";
import { baseConfig } from "../rules/classic/base-config.js";
import type { Run } from "../run.js";

const FILES = ["WiredTiger.basecfg", "WiredTiger.config"];
const consequence = "the engine refuses to open the database";

/** Major and minor number of a release. */
export interface Release {
  readonly major: number;
  readonly minor: number;
}

/** `release`: what the turtle file says of the engine that wrote last. */
export function verifyBaseConfig(home: string, release: Release | undefined, run: Run): void {
  for (const name of FILES) {
    const path = join(home, name);
    if (!existsSync(path)) continue;
    const bytes = readSmall(path);
    run.checked(0, bytes.length);
    const reading = configFile.read(bytes);
    run.findings.addIssues(baseConfig, { path }, reading.issues, { consequence, offsets: "file" });
    if (!reading.ok) continue;
    for (const entry of reading.value.entries) new EntryCheck(path, entry, release, run).check();
  }
}

class EntryCheck {
  constructor(
    private readonly path: string,
    private readonly entry: ConfigEntry,
    private readonly release: Release | undefined,
    private readonly run: Run,
  ) {}

  check(): void {
    const { key, keyRaw } = this.entry;
    if (keyRaw === "") return;
    if (!baseConfigKeys.has(key)) this.reportKey();
    else if (key === "version") this.checkVersion();
  }

  private reportKey(): void {
    const { release, entry } = this;
    const known = release !== undefined && release.major < BASE_CONFIG_KEYS_UNTIL;
    this.report(`no release has a key ${JSON.stringify(entry.key)} here`, known ? "error" : "warning");
  }

  private checkVersion(): void {
    const { release, entry } = this;
    const [major, minor] = [numberIn(entry.value, "major"), numberIn(entry.value, "minor")];
    if (major === undefined || minor === undefined)
      this.report("the version is not two numbers, major and minor");
    else if (release !== undefined && isAbove({ major, minor }, release))
      this.report(
        `made by release ${major}.${minor}, and the turtle file is of ${release.major}.${release.minor}`,
      );
  }

  private report(message: string, severity: "error" | "warning" = "error"): void {
    const { path, entry } = this;
    const place = { path, offset: entry.offset };
    this.run.findings.add(baseConfig, place, { field: entry.key, message, severity, consequence });
  }
}

function numberIn(value: ConfigValue, key: string): number | undefined {
  const entry = value.kind === "struct" ? value.entries.findLast((one) => one.key === key) : undefined;
  const text = entry === undefined ? undefined : configText(entry.value);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

const isAbove = (a: Release, b: Release): boolean =>
  a.major > b.major || (a.major === b.major && a.minor > b.minor);
