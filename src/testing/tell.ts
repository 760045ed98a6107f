import type { Instruction, VerdictData } from '../bytecode/index.ts';
import type {
  chain,
  elementList,
  element as elementSchema,
  flowtable,
  object,
  rule,
  set,
  table,
} from '../message/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import {
  type Chain,
  type Element,
  type Flowtable,
  type NftObject,
  type NftSet,
  type Rule,
  type Table,
  usesOf,
} from './state.ts';

/** NFT_CHAIN_BASE */
const BASE = 1;

/** Things as the kernel tells them. */
export function tableValue(it: Table): ValueOf<typeof table> {
  return {
    name: it.name,
    flags: it.flags,
    use: it.chains.size + it.sets.size + it.objects.size + it.flowtables.size,
    handle: it.handle,
    ...(it.userdata === undefined ? {} : { userdata: it.userdata }),
    ...(it.owner === undefined ? {} : { owner: it.owner }),
  };
}

export function chainValue(it: Chain, devices = it.base?.devices ?? []): ValueOf<typeof chain> {
  const { base } = it;
  return {
    table: it.table.name,
    handle: it.handle,
    name: it.name,
    ...(base === undefined
      ? {}
      : {
          hook: {
            number: base.number,
            priority: base.priority,
            ...(devices.length === 1 ? { device: devices[0] as string } : {}),
            ...(devices.length > 0 ? { devices } : {}),
          },
          policy: base.policy,
          type: base.type,
          flags: BASE,
        }),
    use: usesOf(it),
    ...(it.userdata === undefined ? {} : { userdata: it.userdata }),
  };
}

/** A chain that is gone, by its name. */
export function chainName({ table, name, handle }: Chain): ValueOf<typeof chain> {
  return { table: table.name, name, handle };
}

export function ruleValue(it: Rule): ValueOf<typeof rule> {
  return {
    table: it.chain.table.name,
    chain: it.chain.name,
    handle: it.handle,
    expressions: withTargets(it),
    ...(it.userdata === undefined ? {} : { userdata: it.userdata }),
  };
}

/** A rule's instructions with the names that the chains which they jump to have now. */
function withTargets({ expressions, uses }: Rule): readonly Instruction[] {
  const targets = uses.flatMap((use) => (use.kind === 'chain' ? [use.target] : []));
  let next = 0;
  return expressions.map((one) => {
    if (one.name !== 'immediate' || one.data instanceof Uint8Array || one.data.chain === undefined)
      return one;
    return { ...one, data: { ...one.data, chain: targets[next++]?.name } };
  });
}

export function setValue(it: NftSet): ValueOf<typeof set> {
  const { id: _, ...declared } = it.declared;
  return { ...declared, table: it.table.name, name: it.name, flags: it.flags, handle: it.handle };
}

export function objectValue(it: NftObject): ValueOf<typeof object> {
  return {
    table: it.table.name,
    name: it.name,
    type: it.type,
    data: it.data,
    use: it.use,
    handle: it.handle,
    ...(it.userdata === undefined ? {} : { userdata: it.userdata }),
  };
}

export function flowtableValue(it: Flowtable): ValueOf<typeof flowtable> {
  return {
    table: it.table.name,
    name: it.name,
    hook: { number: 0, priority: it.priority, devices: it.devices },
    use: it.use,
    handle: it.handle,
    ...(it.flags === undefined ? {} : { flags: it.flags }),
  };
}

/** A flowtable that is gone, by its name. */
export function flowtableName({ table, name, handle }: Flowtable): ValueOf<typeof flowtable> {
  return { table: table.name, name, handle };
}

export function elementsValue(
  it: NftSet,
  elements: readonly Element[],
  now: number,
): ValueOf<typeof elementList> {
  return {
    table: it.table.name,
    set: it.name,
    elements: elements.map((element) => elementValue(it, element, now)),
  };
}

function elementValue(it: NftSet, element: Element, now: number): ValueOf<typeof elementSchema> {
  const { key, keyEnd, flags, data, object, userdata, expressions, timeout, expires, use } = element;
  // What the set says of all its elements is not said again.
  const own = timeout !== undefined && timeout !== (it.declared.timeout ?? 0n);
  return {
    ...(key === undefined ? {} : { key }),
    ...(keyEnd === undefined ? {} : { keyEnd }),
    ...(data === undefined
      ? {}
      : { data: use?.kind === 'chain' ? { ...(data as VerdictData), chain: use.target.name } : data }),
    ...(expressions.length === 1 ? { expression: expressions[0] as Instruction } : {}),
    ...(expressions.length > 1 ? { expressions } : {}),
    ...(object === undefined ? {} : { object }),
    ...(flags === 0 ? {} : { flags }),
    ...(own ? { timeout } : {}),
    ...(expires === undefined ? {} : { expiration: BigInt(Math.max(0, Math.ceil(expires - now))) }),
    ...(userdata === undefined ? {} : { userdata }),
  };
}
