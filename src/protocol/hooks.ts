import { type FamilyName, families } from './families.ts';
import { lookup, ProtocolLookupError } from './lookup.ts';

/** A place in the packet's way through the kernel where a base chain can be attached. */
export type HookName = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress';

/** What a base chain may do there. */
export type ChainTypeName = 'filter' | 'nat' | 'route';

const routed = Object.freeze({ prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 });

/**
 * Hooks of every family and the kernel's numbers of them (NFTA_HOOK_HOOKNUM): NF_INET_* of
 * linux/netfilter.h, NF_BR_*, NF_ARP_*, NF_NETDEV_*. `ingress` and `egress` are bound to devices; inet
 * `ingress` needs kernel 5.10, netdev `egress` 5.16.
 */
export const hooks: Readonly<Record<FamilyName, Readonly<Partial<Record<HookName, number>>>>> = Object.freeze(
  {
    ip: routed,
    ip6: routed,
    inet: Object.freeze({ ...routed, ingress: 5 }),
    arp: Object.freeze({ input: 0, output: 1 }),
    bridge: routed,
    netdev: Object.freeze({ ingress: 0, egress: 1 }),
  },
);

const nat: readonly HookName[] = ['prerouting', 'input', 'output', 'postrouting'];
const route: readonly HookName[] = ['output'];

/**
 * The hooks at which each chain type is legal. `filter` is legal wherever the family has a hook; `nat` and
 * `route` exist in ip, ip6 and inet (there since kernel 5.2).
 */
export const chainTypes: Readonly<
  Record<FamilyName, Readonly<Partial<Record<ChainTypeName, readonly HookName[]>>>>
> = Object.freeze({
  ip: { filter: hooksOf('ip'), nat, route },
  ip6: { filter: hooksOf('ip6'), nat, route },
  inet: { filter: hooksOf('inet'), nat, route },
  arp: { filter: hooksOf('arp') },
  bridge: { filter: hooksOf('bridge') },
  netdev: { filter: hooksOf('netdev') },
});

function hooksOf(family: FamilyName): readonly HookName[] {
  return Object.keys(hooks[family]) as HookName[];
}

/**
 * The kernel's number of a hook.
 *
 * @throws ProtocolLookupError listing the hooks that the family has
 */
export function findHook(family: FamilyName, name: string): number {
  return lookup(`${family} hook`, hooks[family] as Readonly<Record<string, number>>, name);
}

/** The hook with the kernel's number in a family, where it has one. */
export function hookByNumber(family: FamilyName, number: number): HookName | undefined {
  return hooksOf(family).find((name) => hooks[family][name] === number);
}

/**
 * Whether a chain is bound to devices: all of netdev, and ingress in inet.
 */
export function hookHasDevices(family: FamilyName, hook: HookName): boolean {
  return family === 'netdev' || (family === 'inet' && hook === 'ingress');
}

/**
 * Checks that a family has a chain type and that it is legal at a hook.
 *
 * @throws ProtocolLookupError listing the types of the family, or the hooks of the type
 */
export function checkChainType(family: FamilyName, type: string, hook: string): void {
  const legal = lookup(`${families[family].name} chain type`, chainTypes[family], type) ?? [];
  if (!(legal as readonly string[]).includes(hook)) {
    throw new ProtocolLookupError(`hook of a ${family} chain of type ${type}`, hook, legal);
  }
}
