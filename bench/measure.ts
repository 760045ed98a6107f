/** How often something is done: first unmeasured, so that a daemon's warm state is measured, then for real. */
export interface Rounds {
  readonly warm: number;
  readonly measured: number;
}

/**
 * The seconds of each measured round: those that `run` promises, where it has a clock of its own.
 *
 * @param before - brings back the state that a round starts from; not measured
 */
export async function repeat(
  { warm, measured }: Rounds,
  run: () => unknown,
  before?: (round: number) => unknown,
): Promise<number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < warm + measured; round++) {
    await before?.(round);
    const start = process.hrtime.bigint();
    const result = run();
    // Awaiting what is no promise would give the synchronous ways a turn of the event loop to pay for.
    const told: unknown = result instanceof Promise ? await result : undefined;
    const end = process.hrtime.bigint();
    if (round >= warm) seconds.push(typeof told === 'number' ? told : Number(end - start) / 1e9);
  }
  return seconds;
}

/** The value below which `share` of the others lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new RangeError('nothing was measured');
  return value;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
