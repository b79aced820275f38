/** When an input counts as one that never returns. */

/** Waiting costs no processor time: so many times the limit may pass while this process is awake. */
const WAITING = 6;
/** How often it is to be looked, milliseconds. */
export const LOOK_EVERY = 100;

/**
 * Counts processor time of the process, so that neither a busy machine nor a suspended one is taken for a hang. Time in
 * which nobody looked is time in which the process was stopped.
 */
export class HangWatch {
  private spent = 0;
  private awake = 0;
  private looked = 0;

  /** @param seconds One input may take this long. */
  constructor(private readonly seconds: number) {}

  /** An input begins. */
  begin(): void {
    this.spent = processorSeconds();
    this.awake = 0;
    this.looked = performance.now();
  }

  /** Whether the input has been running for too long; asked every `LOOK_EVERY` milliseconds. */
  isHanging(): boolean {
    const now = performance.now();
    this.awake += Math.min(now - this.looked, 2 * LOOK_EVERY) / 1000;
    this.looked = now;
    return processorSeconds() - this.spent > this.seconds || this.awake > WAITING * this.seconds;
  }
}

/** Processor time of this process, all threads. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
