import type { Row, Section } from './catalogue/index.ts';
import { alice, bob, carol, dave, stranger } from './network.ts';
import type { LearnedAddress, Rig } from './rig.ts';

/** What became of a row's frame. */
export interface Outcome {
  readonly section: string;
  readonly row: Row;
  readonly arrivedAt: readonly string[];
  /** Whether it reached exactly whom it had to, and nothing else was seen. */
  readonly isRight: boolean;
}

/** Sends every frame, in order. */
export function run(rig: Rig, sections: readonly Section[]): Outcome[] {
  return sections.flatMap(({ title, rows }) =>
    rows.map((row) => {
      const { arrivedAt, strays } = rig.deliver(row.from, row.frame);
      const expected = [...row.reaches].sort().join();
      const isRight = [...arrivedAt].sort().join() === expected && strays.length === 0;
      return { section: title, row, arrivedAt, isRight };
    }),
  );
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
