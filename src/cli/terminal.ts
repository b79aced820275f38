/** stdout for data, stderr for everything else. */
import type { Readable, Writable } from "node:stream";
import type { Palette } from "../report/palette.js";
import { plainPalette, terminalPalette } from "../report/palette.js";
import { visible } from "../report/visible.js";

export type ColorWhen = "auto" | "always" | "never";
export const COLOR_CHOICES: readonly ColorWhen[] = ["auto", "always", "never"];

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface TerminalOptions {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly color?: ColorWhen;
  readonly quiet?: boolean;
}

/** What a command may talk to. */
export class Terminal {
  /** For text on stdout. */
  readonly palette: Palette;
  private readonly notePalette: Palette;
  private readonly showsProgress: boolean;
  private progressShown = "";
  private progressTime = 0;

  constructor(private readonly options: TerminalOptions) {
    const { stdout, stderr, quiet = false } = options;
    this.palette = paletteFor(stdout, options);
    this.notePalette = paletteFor(stderr, options);
    this.showsProgress = !quiet && stderr.isTTY === true;
  }

  get stdin(): TerminalOptions["stdin"] {
    return this.options.stdin;
  }

  /** Data. Resolves when more may be written. */
  async write(text: string | Uint8Array): Promise<void> {
    const { stdout } = this.options;
    this.clearProgress();
    if (text.length === 0 || stdout.write(text) || stdout.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdout.off("drain", done);
        stdout.off("close", done);
        resolve();
      };
      stdout.once("drain", done);
      stdout.once("close", done);
    });
  }

  /** Data while nobody can wait; only for a bounded amount. */
  writeNow(text: string): void {
    this.clearProgress();
    this.options.stdout.write(text);
  }

  /** What was detected, hints: one line on stderr unless `--quiet`. */
  note(line: string): void {
    if (this.options.quiet !== true) this.toStderr(this.notePalette("faint", visible(line)));
  }

  /** Why the command fails: one line on stderr, always. */
  fail(line: string): void {
    this.toStderr(`${this.notePalette("error", "pugmark:")} ${visible(line)}`);
  }

  private toStderr(line: string): void {
    this.clearProgress();
    this.options.stderr.write(`${line}\n`);
  }

  /** Progress on a terminal, at most ten times a second; undone by the next output. */
  progress(text: string): void {
    const now = Date.now();
    if (!this.showsProgress || now - this.progressTime < 100) return;
    this.progressTime = now;
    const line = text.slice(0, (this.options.stderr.columns ?? 80) - 1);
    this.options.stderr.write(`\r${line.padEnd(this.progressShown.length)}`);
    this.progressShown = line;
  }

  clearProgress(): void {
    if (this.progressShown === "") return;
    this.options.stderr.write(`\r${" ".repeat(this.progressShown.length)}\r`);
    this.progressShown = "";
  }
}

function paletteFor(stream: Stream, { env, color = "auto" }: TerminalOptions): Palette {
  if (color !== "auto") return color === "always" ? terminalPalette : plainPalette;
  const wanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return wanted ? terminalPalette : plainPalette;
}
