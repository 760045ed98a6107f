import type { Command } from '../../index.ts';
import type { Block } from '../address.ts';
import type { Entry } from '../inventory.ts';
import { TABLE } from '../table.ts';

/** An address that a port has learnt. */
export interface Lesson {
  readonly vm: string;
  readonly ifname: string;
  readonly mac: string;
  readonly address: Block;
  /** Where it is the port's alone. */
  readonly scope: string;
  /** From a server's answer, or from a first packet. */
  readonly by: 'dhcp' | 'any';
  /** When it is forgotten, in milliseconds of the learner's clock; Infinity: never. */
  readonly until: number;
  /** The number of the interface, where a packet told. */
  readonly index: number | undefined;
  /** What the kernel has for it. */
  readonly entries: readonly Entry[];
}

const elementsOf = ({ family, set, key }: Entry, timeout?: number) => ({
  element: {
    family,
    table: TABLE,
    name: set,
    elem: [timeout === undefined ? key : { elem: { val: key, timeout } }],
  },
});

/** Makes a port own an address for so many seconds, for ever where that is Infinity; or for so many anew. */
export function teach(entries: readonly Entry[], seconds: number, isKnown: boolean): Command[] {
  const timeout = Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
  // Before Linux 6.12 an element that is there keeps the time that it had.
  const before = isKnown ? unlearn(entries) : [];
  return [...before, ...entries.map((entry) => ({ add: elementsOf(entry, timeout) }))] as Command[];
}

/** Takes an address away; where its time was up, nothing is there any more. */
export function unlearn(entries: readonly Entry[]): Command[] {
  return entries.map((entry) => ({ destroy: elementsOf(entry) })) as Command[];
}
