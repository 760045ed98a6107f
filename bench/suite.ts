import type { Session } from './driver.ts';
import type { DriverName } from './drivers/index.ts';

/** How much is measured: `quick` is done in a minute or so, `full` goes to a million. */
export type Scale = 'quick' | 'normal' | 'full';

/** One figure of one trial. */
export interface Measurement {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
}

/** One thing to measure, in a process and a network namespace of its own for each trial and driver. */
export interface Case {
  readonly name: string;
  /** Elements, rules, VMs: what the suite counts. */
  readonly size: number;
  readonly drivers: readonly DriverName[];
  run(session: Session, driver: DriverName): Promise<readonly Measurement[]>;
}

export interface Suite {
  /** What is measured, in a line. */
  readonly about: string;
  /** Why it cannot be measured here; absent, or undefined, where it can. */
  missing?(): string | undefined;
  /** `false`: left out of a quick run, unless it is asked for by name. */
  readonly quick?: false;
  cases(scale: Scale): readonly Case[];
}

/** Which of these sizes a scale goes to. */
export function sizes(
  scale: Scale,
  quick: readonly number[],
  normal: readonly number[],
  full: readonly number[],
) {
  if (scale === 'quick') return quick;
  return scale === 'normal' ? [...quick, ...normal] : [...quick, ...normal, ...full];
}
