/** How long to wait between attempts, in milliseconds. */
export interface Backoff {
  /** After the first failure; it doubles with each further one. Default 100. */
  readonly first?: number;
  /** At most. Default 3,000. */
  readonly most?: number;
}

/**
 * The wait after so many failures in a row: at random between half of the full time and all of it, so that
 * hosts that lost the same store do not come back in step.
 */
export function waitAfter(failures: number, { first = 100, most = 3000 }: Backoff = {}): number {
  const full = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + Math.random() / 2);
}
