import type { Instruction } from '../bytecode/index.ts';
import { familyByNumber, type HookName, hookByNumber } from '../protocol/index.ts';
import { demand } from './refusal.ts';
import { type BaseChain, type Chain, isMap, type Rule, type Table } from './state.ts';

/** NFT_JUMP_STACK_SIZE: so many chains can be under way at once. */
const DEEPEST = 16;

type Place = { readonly family: string; readonly hook: HookName | undefined; readonly type: string };

interface Legal {
  readonly families?: readonly string[];
  readonly type?: string;
  readonly hooks?: readonly HookName[];
}

const ROUTED = ['ip', 'ip6', 'inet'];

/** Where instructions may stand that may not stand everywhere (the `validate` of nft_*.c). */
const legalPlaces: Readonly<Record<string, (instruction: never, place: Place) => Legal>> = {
  nat: ({ type }: Extract<Instruction, { name: 'nat' }>) => ({
    families: ROUTED,
    type: 'nat',
    hooks: type === 'dnat' ? ['prerouting', 'output'] : ['postrouting', 'input'],
  }),
  masq: () => ({ type: 'nat', hooks: ['postrouting'] }),
  redir: () => ({ type: 'nat', hooks: ['prerouting', 'output'] }),
  reject: (_, { family }) =>
    family === 'netdev'
      ? { hooks: ['ingress'] }
      : family === 'bridge'
        ? { hooks: ['prerouting', 'input'] }
        : { families: ROUTED, hooks: ['input', 'forward', 'output', 'prerouting'] },
  synproxy: () => ({ families: ROUTED, hooks: ['input', 'forward'] }),
  tproxy: () => ({ families: ROUTED, hooks: ['prerouting'] }),
  socket: () => ({ families: ROUTED, hooks: ['prerouting', 'input', 'output'] }),
  osf: () => ({ families: ROUTED, hooks: ['input', 'prerouting', 'forward'] }),
  queue: () => ({
    families: [...ROUTED, 'bridge'],
    hooks: ['input', 'output', 'forward', 'prerouting', 'postrouting'],
  }),
  flow_offload: () => ({ families: ROUTED, hooks: ['forward'] }),
  fwd: () => ({ families: ['netdev'], hooks: ['ingress', 'egress'] }),
  fib: ({ result, flags }: Extract<Instruction, { name: 'fib' }>) => fibHooks(String(result), flags ?? 0),
};

const FIB_IIF = 8;
const FIB_OIF = 16;

function fibHooks(result: string, flags: number): Legal {
  if (result !== 'addrtype')
    return { families: [...ROUTED, 'netdev'], hooks: ['prerouting', 'input', 'forward'] };
  if (flags & FIB_IIF) return { hooks: ['prerouting', 'input', 'forward'] };
  if (flags & FIB_OIF) return { hooks: ['output', 'postrouting', 'forward'] };
  return { hooks: ['input', 'output', 'forward', 'prerouting', 'postrouting'] };
}

/**
 * Walks every base chain of a table with all that it can jump to: nothing may stand where it is illegal, and
 * no more chains may be under way than the kernel keeps track of; in a circle of jumps there would be.
 *
 * @throws Refused EMLINK or EOPNOTSUPP
 */
export function validate(table: Table): void {
  const family = familyByNumber(table.family)?.name;
  for (const chain of table.chains.values()) {
    if (chain.base === undefined || family === undefined) continue;
    const place = placeOf(family, chain.base);
    walk(chain, 0, place, new Map());
  }
}

function placeOf(family: Parameters<typeof hookByNumber>[0], { number, type }: BaseChain): Place {
  return { family, hook: hookByNumber(family, number), type };
}

/** @param proven - how deep each chain was found to be fine */
function walk(chain: Chain, level: number, place: Place, proven: Map<Chain, number>): void {
  demand(level < DEEPEST, 'EMLINK');
  if ((proven.get(chain) ?? -1) >= level) return;
  for (const rule of chain.rules) {
    for (const instruction of rule.expressions) checkPlace(instruction, place);
    for (const next of jumpsOf(rule)) walk(next, level + 1, place, proven);
  }
  proven.set(chain, level);
}

function checkPlace(instruction: Instruction, place: Place): void {
  const legal = legalPlaces[instruction.name]?.(instruction as never, place);
  if (legal === undefined) return;
  const { families, type, hooks } = legal;
  demand(families === undefined || families.includes(place.family), 'EOPNOTSUPP');
  demand(type === undefined || type === place.type, 'EOPNOTSUPP');
  demand(hooks === undefined || (place.hook !== undefined && hooks.includes(place.hook)), 'EOPNOTSUPP');
}

/** The chains that a rule can jump or go to, itself or by a verdict map. */
function* jumpsOf({ uses }: Rule): Generator<Chain> {
  for (const use of uses) {
    if (use.kind === 'chain') yield use.target;
    if (use.kind !== 'set' || !isMap(use.target)) continue;
    for (const { use: inner } of use.target.elements) if (inner?.kind === 'chain') yield inner.target;
  }
}
