import type { Row, Section } from './catalogue/index.ts';
import { alice, bob, carol, dave, stranger } from './network.ts';
import { type LearnedAddress, type Rig, unpadded } from './rig.ts';

/** What became of a row's frame. */
export interface Outcome {
  readonly section: string;
  readonly row: Row;
  readonly arrivedAt: readonly string[];
  /** Whether it reached exactly whom it had to, and nothing else was seen. */
  readonly isRight: boolean;
}

/** As many as the rig takes at once. */
const BATCH = 48;

/** Sends every frame, in order. A frame that nobody sent makes all wrong that it may have come of. */
export function run(rig: Rig, sections: readonly Section[]): Outcome[] {
  return sections.flatMap(({ title, rows }) =>
    batches(rows).flatMap((batch) => {
      const sends = batch.map(({ from, frame }) => ({ port: from, frame }));
      const { arrivedAt, strays } = rig.deliverAll(sends);
      return batch.map((row, index): Outcome => {
        const at = arrivedAt[index] ?? [];
        const isRight = [...at].sort().join() === [...row.reaches].sort().join() && strays.length === 0;
        return { section: title, row, arrivedAt: at, isRight };
      });
    }),
  );
}

/** The rows in order, in runs without two frames that could be taken for one another. */
function batches(rows: readonly Row[]): Row[][] {
  const runs: Row[][] = [];
  let seen = new Set<string>();
  for (const row of rows) {
    const key = unpadded(row.frame);
    if (runs.length === 0 || seen.has(key) || seen.size === BATCH) {
      runs.push([]);
      seen = new Set();
    }
    runs.at(-1)?.push(row);
    seen.add(key);
  }
  return runs;
}

/**
 * Where the bridges of the example network were taught by a lie: that an address is at a VM's port, or at
 * one that no VM lists, although it is not.
 */
export function mislearnt(rig: Rig): LearnedAddress[] {
  const owners = new Map([alice, bob, carol, dave].map(({ port, mac }) => [port, mac]));
  return rig
    .learned()
    .filter(({ port, mac }) => port === stranger.port || (owners.has(port) && owners.get(port) !== mac));
}
