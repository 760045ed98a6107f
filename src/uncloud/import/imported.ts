import { addressText, cidr, overlap, type Prefix, WIDTH } from '../address.ts';
import { parseGroup } from '../group.ts';
import { Refused } from '../problem.ts';

/** A network card, as another system describes it: the JSON of {@link Nic}, not validated. */
export interface ImportedNic {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly vlans?: readonly (number | string)[];
  readonly groups?: readonly string[];
  readonly filter?: string;
  readonly variables?: Readonly<Record<string, readonly string[]>>;
  readonly learn?: 'dhcp' | 'any';
}

/** The rule of a security group, not validated. */
export interface ImportedRule {
  readonly direction: 'in' | 'out';
  readonly action: 'accept' | 'drop' | 'reject';
  readonly family?: 'ip' | 'ip6';
  readonly protocol?: string;
  readonly ports?: readonly string[];
  readonly sourcePorts?: readonly string[];
  readonly types?: readonly (string | number)[];
  readonly from?: readonly (string | { readonly group: string })[];
  readonly to?: readonly (string | { readonly group: string })[];
  readonly log?: boolean | { readonly level: string };
}

export interface ImportedGroup {
  readonly members?: readonly (string | { readonly group: string })[];
  readonly rules?: readonly ImportedRule[];
  readonly default?: Readonly<Partial<Record<'in' | 'out', 'accept' | 'drop' | 'reject'>>>;
}

/** Something that the other system says and a record cannot. */
export interface Omission {
  /** Where: `onevm 12, NIC 0`, `100.fw line 7`. */
  readonly where: string;
  readonly what: string;
}

/** What one or more exports say, in the store's terms. */
export interface Imported {
  readonly vms: Readonly<Record<string, { readonly nics: readonly ImportedNic[] }>>;
  readonly groups: Readonly<Record<string, ImportedGroup>>;
  /** Of a system that has the records of this one. */
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly filters?: Readonly<Record<string, unknown>>;
  readonly omissions: readonly Omission[];
}

/** An export is not of the form that its system writes. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** An address as the block of it alone. */
export function single(address: string): string {
  return address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Splits addresses by family, as a NIC has them; nothing for a family without any. */
export function byFamily(addresses: readonly string[]): Pick<ImportedNic, 'ipv4' | 'ipv6'> {
  const blocks = [...new Set(addresses.map(single))].sort();
  const ipv4 = blocks.filter((block) => !block.includes(':'));
  const ipv6 = blocks.filter((block) => block.includes(':'));
  return { ...(ipv4.length > 0 && { ipv4 }), ...(ipv6.length > 0 && { ipv6 }) };
}

/** So many addresses from `first` on, as the fewest blocks. */
export function blocksOf(first: string, size: bigint): string[] {
  const { family, value } = cidr(single(first));
  const width = WIDTH[family];
  const blocks: string[] = [];
  let at = value;
  for (let rest = size; rest > 0n; ) {
    let bits = 0n;
    while (bits < width && at % (2n << bits) === 0n && 2n << bits <= rest) bits++;
    blocks.push(`${addressText(family, at)}/${BigInt(width) - bits}`);
    at += 1n << bits;
    rest -= 1n << bits;
  }
  return blocks;
}

/** The addresses from one to another, as the fewest blocks. */
export function blocksBetween(first: string, last: string): string[] {
  return blocksOf(first, cidr(single(last)).value - cidr(single(first)).value + 1n);
}

/** Blocks without what is in others: the fewest that are left. */
export function blocksWithout(blocks: readonly string[], others: readonly string[]): string[] {
  const taken = others.map(cidr);
  const left = (block: Prefix): Prefix[] => {
    const { family, value, length } = block;
    const met = taken.filter((other) => overlap(block, other));
    if (met.length === 0) return [block];
    if (met.some((other) => other.length <= length)) return [];
    const half = 1n << BigInt(WIDTH[family] - length - 1);
    const halves = [value, value + half].map((from) => ({ family, value: from, length: length + 1 }));
    return halves.flatMap(left);
  };
  return blocks.flatMap((block) =>
    left(cidr(block)).map(({ family, value, length }) => `${addressText(family, value)}/${length}`),
  );
}

/** Why a rule cannot be one of a group; nothing where it can. */
export function whyNoRule(rule: ImportedRule): string | undefined {
  try {
    parseGroup({ rules: [rule] });
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return `${error.path.replace(/^\.rules\[0\]\.?/, '')}: ${error.message}`;
    throw error;
  }
}

/** An ICMP type by its name, or by its number. */
export function icmpType(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
