import { anyLinkLocal, blocksIn, eui64, overlap, type Prefix, prefixText, truncate } from './address.ts';
import type { Host } from './host.ts';
import type { Nic, Vm } from './policy.ts';
import { Refused } from './problem.ts';

/** A block that a VM says is its own. Blocks of different scopes do not meet. */
interface Claim {
  readonly path: string;
  readonly scope: string;
  readonly block: Prefix;
}

/** Blocks of one length: the owner of each, and the owners of longer blocks inside, with how many each has. */
interface Level {
  readonly own: Map<string, readonly [id: string, value: bigint]>;
  readonly inside: Map<string, Map<string, number>>;
}

/**
 * Who owns the blocks of one scope and family; finds an overlap in a few hash lookups. The maps' keys are
 * text: V8 hashes a bigint by its last 64 bits, which networks have in common.
 */
class Ledger {
  readonly #family: Prefix['family'];
  readonly #levels = new Map<number, Level>();

  constructor(family: Prefix['family']) {
    this.#family = family;
  }

  #key(value: bigint, length: number): string {
    return truncate(this.#family, value, length).toString(16);
  }

  #level(length: number): Level {
    const known = this.#levels.get(length);
    if (known) return known;
    const level: Level = { own: new Map(), inside: new Map() };
    this.#levels.set(length, level);
    for (const [longer, { own }] of this.#levels) {
      if (longer <= length) continue;
      for (const [id, value] of own.values()) note(level.inside, this.#key(value, length), id, 1);
    }
    return level;
  }

  /** Someone other than `id` who has an address of the block. */
  other(id: string, { value, length }: Prefix): string | undefined {
    for (const [shorter, { own }] of this.#levels) {
      const owner = shorter <= length ? own.get(this.#key(value, shorter))?.[0] : undefined;
      if (owner !== undefined && owner !== id) return owner;
    }
    const inside = this.#level(length).inside.get(this.#key(value, length));
    for (const owner of inside?.keys() ?? []) if (owner !== id) return owner;
    return undefined;
  }

  add(id: string, block: Prefix): void {
    const { own } = this.#level(block.length);
    const key = this.#key(block.value, block.length);
    if (own.has(key)) return;
    own.set(key, [id, block.value]);
    this.#noteInside(id, block, 1);
  }

  remove(id: string, block: Prefix): void {
    if (this.#level(block.length).own.delete(this.#key(block.value, block.length))) {
      this.#noteInside(id, block, -1);
    }
  }

  #noteInside(id: string, { value, length }: Prefix, by: 1 | -1): void {
    for (const [shorter, { inside }] of this.#levels) {
      if (shorter < length) note(inside, this.#key(value, shorter), id, by);
    }
  }
}

function note(inside: Level['inside'], key: string, id: string, by: 1 | -1): void {
  const owners = inside.get(key);
  if (!owners) {
    inside.set(key, new Map([[id, by]]));
    return;
  }
  const count = (owners.get(id) ?? 0) + by;
  if (count > 0) owners.set(id, count);
  else if (owners.delete(id) && owners.size === 0) inside.delete(key);
}

/** The link-local addresses of a NIC that are its alone. */
function linkLocals(nic: Nic): readonly string[] {
  if (nic.linkLocal === 'any') return [];
  return nic.linkLocal === 'eui64' ? [prefixText(eui64(nic.mac))] : nic.linkLocal;
}

/** The scope in which a NIC's address is its alone. */
export function scopeOf({ bridge }: Nic, block: Prefix, host: Host | undefined): string {
  if (overlap(anyLinkLocal, block)) return `${bridge} link-local`;
  return host?.bridges[bridge]?.shared === false ? bridge : '';
}

function blocksOf(vm: Vm, host: Host | undefined): Claim[] {
  const claim = (scope: string, path: string, texts: readonly string[]): Claim[] =>
    blocksIn(texts).map((block) => ({ scope, path, block }));
  return [
    ...claim('', '.ipv4', vm.ipv4),
    ...claim('', '.ipv6', vm.ipv6),
    ...vm.nics.flatMap((nic, i) => {
      const scope = host?.bridges[nic.bridge]?.shared === false ? nic.bridge : '';
      return [
        ...claim(scope, `.nics[${i}].ipv4`, nic.ipv4),
        ...claim(scope, `.nics[${i}].ipv6`, nic.ipv6),
        ...claim(`${nic.bridge} link-local`, `.nics[${i}].linkLocal`, linkLocals(nic)),
      ];
    }),
  ];
}

/** Keeps account of what belongs to whom: the first to claim has it. */
export interface Claims {
  /** Takes all that the VM claims, or nothing and throws {@link Refused}. */
  claim(id: string, vm: Vm): void;
  /** Gives back what the VM has claimed. */
  release(id: string, vm: Vm): void;
  /** Another VM that has an address, where one has a NIC. */
  other(id: string, nic: Nic, address: Prefix): string | undefined;
  /** The VM that has the interface or MAC. */
  ownerOf(name: string): string | undefined;
}

/** An empty account, in which the host has its bridges, uplinks and their MACs. */
export function claims(host: Host | undefined): Claims {
  const ledgers = new Map<string, Ledger>();
  const owners = new Map<string, string>();
  const interfaces = new Set<string>();
  const macs = new Set<string>();
  for (const [name, { uplinks, mac }] of Object.entries(host?.bridges ?? {})) {
    for (const each of [name, ...uplinks]) interfaces.add(each);
    if (mac) macs.add(mac);
  }
  const ledger = ({ scope, block }: Claim): Ledger => {
    const key = `${scope} ${block.family}`;
    let found = ledgers.get(key);
    if (!found) {
      found = new Ledger(block.family);
      ledgers.set(key, found);
    }
    return found;
  };

  return {
    claim(id, vm) {
      const ports = new Set<string>();
      for (const [i, { ifname, mac }] of vm.nics.entries()) {
        const path = `.nics[${i}]`;
        if (interfaces.has(ifname)) throw new Refused(`${path}.ifname`, `${ifname} is the host's own`);
        if (macs.has(mac)) throw new Refused(`${path}.mac`, `${mac} is the bridge's own`);
        if (ports.has(ifname)) throw new Refused(`${path}.ifname`, `${ifname} is named twice`);
        ports.add(ifname);
        for (const [field, value] of [
          ['ifname', ifname],
          ['mac', mac],
        ] as const) {
          const owner = owners.get(value);
          if (owner !== undefined && owner !== id) {
            throw new Refused(`${path}.${field}`, `${value} belongs to VM ${owner}`);
          }
        }
      }
      const wanted = blocksOf(vm, host);
      for (const claim of wanted) {
        const owner = ledger(claim).other(id, claim.block);
        if (owner !== undefined) {
          throw new Refused(
            claim.path,
            `${prefixText(claim.block)} belongs, at least in part, to VM ${owner}`,
          );
        }
      }
      for (const claim of wanted) ledger(claim).add(id, claim.block);
      for (const { ifname, mac } of vm.nics) owners.set(ifname, id).set(mac, id);
    },
    other: (id, nic, block) => ledger({ path: '', scope: scopeOf(nic, block, host), block }).other(id, block),
    ownerOf: (name) => owners.get(name),
    release(id, vm) {
      for (const claim of blocksOf(vm, host)) ledger(claim).remove(id, claim.block);
      for (const { ifname, mac } of vm.nics) for (const key of [ifname, mac]) owners.delete(key);
    },
  };
}
