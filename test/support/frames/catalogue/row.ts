import { type Machine, others } from '../network.ts';

/** A frame, and whom it must reach when the example policy is in force. */
export interface Row {
  readonly name: string;
  /** The port that it comes in at. */
  readonly from: string;
  readonly frame: Buffer;
  /** Exactly these ports; none where it must drop. */
  readonly reaches: readonly string[];
  /** True where the bridge drops such a frame by itself, rules or not. */
  readonly bridgeDrops?: true;
}

/** Rows that belong to one step in the order of checks. */
export interface Section {
  readonly title: string;
  /** Why its frames have the fates they have, with the standard or the weakness it comes from. */
  readonly because: string;
  readonly rows: readonly Row[];
}

/** A frame that must get through, to everyone else on the bridge unless `reaches` says to whom. */
export function pass(
  name: string,
  from: Machine,
  frame: Buffer,
  reaches: readonly Machine[] | undefined = undefined,
): Row {
  return { name, from: from.port, frame, reaches: reaches?.map(({ port }) => port) ?? others(from) };
}

/** A frame that must not get anywhere. */
export function drop(name: string, from: Machine, frame: Buffer): Row {
  return { name, from: from.port, frame, reaches: [] };
}
