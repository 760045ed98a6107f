import { SET_FLAGS } from '../bytecode/index.ts';
import { isKernelSince } from '../netlink/kernel-release.ts';
import type { Item } from './contents.ts';
import { setFlags } from './properties.ts';

/** What the kernel changes of a thing that is there: since when, and what else must hold. */
interface InPlace {
  readonly since?: readonly [major: number, minor: number];
  readonly when?: (before: Item, item: Item) => boolean;
}

const set: Readonly<Record<string, InPlace>> = {
  timeout: { since: [6, 2] },
  gcInterval: { since: [6, 2] },
  size: { since: [6, 5], when: sizeFits },
};

/** By the kind of thing and the property. */
const changes: Readonly<Record<string, Readonly<Record<string, InPlace>>>> = {
  table: {
    flags: { when: (before, item) => otherFlags(before) === otherFlags(item) || isAdoption(before, item) },
  },
  chain: { policy: {}, devices: { since: [6, 4] } },
  flowtable: { devices: {} },
  quota: { data: {} },
  set,
  map: set,
};

/**
 * Whether a property of a thing can become another's without the thing being made anew.
 *
 * @param kernel - the release of the kernel that it is for; this machine's by default
 */
export function canChange(property: string, before: Item, item: Item, kernel: string | undefined): boolean {
  const how = changes[item.kind]?.[property];
  if (how === undefined || how.when?.(before, item) === false) return false;
  return how.since === undefined || isKernelSince(...how.since, kernel);
}

/** A value of the model that is a list, or one thing alone. */
export function listOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as string[]) : [value as string];
}

function otherFlags({ node }: Item): string {
  return listOf(node.flags)
    .filter((flag) => flag !== 'dormant')
    .sort()
    .join();
}

/** A table that outlived its owner may have another one (Linux 6.9, as are such tables). */
const isAdoption = (before: Item, item: Item) =>
  otherFlags(before) === 'persist' && otherFlags(item) === 'owner,persist';

const sizeOf = ({ properties }: Item) => Number(properties?.get('size') ?? 0);

/** The kernel's nft_hash_buckets: it allots them once. */
const buckets = (size: number) => 2 ** Math.ceil(Math.log2((size * 4) / 3));

/**
 * A size cannot be taken back, and holds from the end of the transaction on: elements must have room in the
 * old one. The table of a plain hash set is made for the size that was declared first.
 */
function sizeFits(before: Item, item: Item): boolean {
  const [old, wanted] = [sizeOf(before), sizeOf(item)];
  const flags = setFlags(item.properties);
  const isInterval = (flags & SET_FLAGS.interval) !== 0;
  const isHash = !(flags & (SET_FLAGS.interval | SET_FLAGS.eval | SET_FLAGS.timeout));
  if (wanted === 0 || (isHash && (old === 0 || buckets(wanted) > buckets(old)))) return false;
  // Both ends of an interval take room.
  const entries = (item.members?.length ?? 0) * (isInterval ? 2 : 1);
  return entries <= Math.min(old || wanted, wanted);
}
