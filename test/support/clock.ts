/** Time that a busy machine does not stretch: tests hold work to bounds of processor time, never of wall time. */

/** Processor time this process has used so far, milliseconds. */
export function processorMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
