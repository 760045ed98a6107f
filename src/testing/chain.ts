import { MESSAGE, NLM, POLICIES, chain as schema } from '../message/index.ts';
import {
  type ChainTypeName,
  chainTypes,
  familyByNumber,
  hookByNumber,
  hookHasDevices,
} from '../protocol/index.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import { removeRule } from './rule.ts';
import { nextHandle, type Run, tableOf } from './run.ts';
import type { BaseChain, Chain, Table } from './state.ts';
import { chainName, chainValue } from './tell.ts';

const NFTA_CHAIN = { handle: 2, name: 3, hook: 4, policy: 5, type: 7 } as const;

/** NF_IP_PRI_CONNTRACK: addresses are translated after connections are known. */
const CONNTRACK = -200;

type Given = Partial<ValueOf<typeof schema>>;

/** A chain by what a message says of it. */
export function findChain(table: Table, { handle, name }: Pick<Given, 'handle' | 'name'>): Chain | undefined {
  if (handle !== undefined) return [...table.chains.values()].find((one) => one.handle === handle);
  return name === undefined ? undefined : table.chains.get(name);
}

/** NFT_MSG_NEWCHAIN: makes a chain, changes one, or renames it. */
export function newChain(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const there = findChain(table, value);
  demand(there || value.handle === undefined, 'ENOENT', NFTA_CHAIN.handle);
  if (value.policy !== undefined) {
    demand(there === undefined ? value.hook : there.base, 'EOPNOTSUPP', NFTA_CHAIN.policy);
    demand(Object.values<number>(POLICIES).includes(value.policy), 'EINVAL');
  }
  if (there === undefined) {
    makeChain(run, message, table, value);
    return;
  }
  const named = value.handle === undefined ? NFTA_CHAIN.name : NFTA_CHAIN.handle;
  demand(!(message.flags & NLM.EXCL), 'EEXIST', named);
  updateChain(run, message, there, value, named);
}

function makeChain(run: Run, message: BatchMessage, table: Table, value: Given): void {
  const { name } = value;
  demand(name !== undefined, 'EINVAL');
  const base = value.hook === undefined ? undefined : baseOf(message.family, value);
  const chain: Chain = {
    table,
    name,
    handle: nextHandle(table),
    base,
    userdata: value.userdata,
    rules: [],
    jumps: 0,
  };
  run.journal.map(table, 'chains').set(name, chain);
  run.news.made(message, MESSAGE.NEWCHAIN, schema, () => chainValue(chain));
}

/** What a message says of the hook, where that is legal in the family. */
function baseOf(familyNumber: number, value: Given): BaseChain {
  const { number, priority } = value.hook ?? {};
  demand(number !== undefined && priority !== undefined, 'ENOENT');
  const family = familyByNumber(familyNumber)?.name;
  const type = value.type ?? 'filter';
  const legal = family === undefined ? undefined : chainTypes[family][type as ChainTypeName];
  demand(legal, 'ENOENT', NFTA_CHAIN.type);
  const hook = family && hookByNumber(family, number);
  demand(hook !== undefined && legal.includes(hook), 'EOPNOTSUPP');
  demand(type !== 'nat' || priority > CONNTRACK, 'EOPNOTSUPP');
  const devices = devicesOf(value);
  demand(devices.length === 0 || (family && hookHasDevices(family, hook)), 'EOPNOTSUPP');
  return { type, number, priority, devices, policy: value.policy ?? POLICIES.accept };
}

function devicesOf({ hook }: Given): string[] {
  return [...(hook?.devices ?? (hook?.device === undefined ? [] : [hook.device]))];
}

function updateChain(run: Run, message: BatchMessage, chain: Chain, value: Given, named: number): void {
  const { journal } = run;
  let added: string[] = [];
  if (value.hook !== undefined) {
    demand(chain.base, 'EEXIST', named);
    const wanted = baseOf(message.family, value);
    demand(wanted.type === chain.base.type, 'EEXIST', named);
    const same = wanted.number === chain.base.number && wanted.priority === chain.base.priority;
    demand(same, 'EOPNOTSUPP');
    added = wanted.devices.filter((device) => !chain.base?.devices.includes(device));
    const given = run.given.get(chain.table) ?? new Set();
    demand(!added.some((device) => given.has(device)), 'EEXIST');
    run.given.set(chain.table, new Set([...given, ...added]));
    if (added.length > 0) journal.set(chain.base, 'devices', [...chain.base.devices, ...added]);
  }
  if (value.handle !== undefined && value.name !== undefined) rename(run, message, chain, value.name);
  if (value.policy !== undefined && chain.base !== undefined) journal.set(chain.base, 'policy', value.policy);
  journal.note();
  // Of devices the new ones are told.
  run.news.made(message, MESSAGE.NEWCHAIN, schema, () => chainValue(chain, added));
}

/** A chain keeps its name until the transaction ends: nothing in it can use either of the two names anew. */
function rename({ renamed, news }: Run, message: BatchMessage, chain: Chain, name: string): void {
  const taken = [...renamed].some(([other, given]) => other.table === chain.table && given === name);
  demand(!taken && !chain.table.chains.has(name), 'EEXIST', NFTA_CHAIN.name);
  renamed.set(chain, name);
  news.renamed(message, chain, name);
}

/** Gives chains their new names, in their places among the others. */
export function applyNames({ journal, renamed }: Run): void {
  for (const [chain, name] of renamed) {
    journal.set(chain, 'name', name);
    const chains = [...chain.table.chains.values()];
    journal.set(chain.table, 'chains', new Map(chains.map((one) => [one.name, one])));
  }
}

/** NFT_MSG_DELCHAIN and NFT_MSG_DESTROYCHAIN: with its rules; or some of its devices. */
export function deleteChain(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const chain = findChain(table, value);
  if (chain === undefined && message.type === MESSAGE.DESTROYCHAIN) return;
  const named = value.handle === undefined ? NFTA_CHAIN.name : NFTA_CHAIN.handle;
  demand(chain, 'ENOENT', named);
  if (value.hook !== undefined && chain.base !== undefined && chain.base.devices.length > 0) {
    removeDevices(run, message, chain, devicesOf(value));
    return;
  }
  const { jumps } = chain;
  for (const rule of [...chain.rules]) removeRule(run, message, rule);
  // Jumps of its own rules count as well: the kernel counts before it looks at the rules.
  demand(jumps === 0, 'EBUSY', named);
  run.news.gone(message, MESSAGE.DELCHAIN, schema, chainName(chain));
  run.journal.map(table, 'chains').delete(chain.name);
}

function removeDevices(run: Run, message: BatchMessage, chain: Chain, devices: string[]): void {
  const base = chain.base as BaseChain;
  for (const device of devices) demand(base.devices.includes(device), 'ENOENT', NFTA_CHAIN.hook);
  run.news.gone(message, MESSAGE.DELCHAIN, schema, chainValue(chain, devices));
  run.journal.set(
    base,
    'devices',
    base.devices.filter((device) => !devices.includes(device)),
  );
}
