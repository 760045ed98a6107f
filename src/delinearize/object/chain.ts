import { type chain, POLICIES } from '../../message/index.ts';
import type { Chain, ChainPolicy, ChainType, Family } from '../../model/index.ts';
import { hookByNumber } from '../../protocol/index.ts';
import type { ValueOf } from '../../wire/schema.ts';
import { commentIn } from './comment.ts';

/** A chain as the kernel tells it; a priority is a number, as nft's JSON has it. */
export function delinearizeChain(family: Family, value: Partial<ValueOf<typeof chain>>): Chain {
  return {
    family,
    table: value.table ?? '',
    name: value.name ?? '',
    handle: Number(value.handle ?? 0n),
    ...base(family, value),
    ...commentIn(value.userdata),
  };
}

function base(family: Family, { hook, type, policy }: Partial<ValueOf<typeof chain>>): Partial<Chain> {
  if (hook?.number === undefined) return {};
  const name = hookByNumber(family, hook.number);
  const devices = hook.devices ?? (hook.device === undefined ? [] : [hook.device]);
  const verdict = (Object.keys(POLICIES) as ChainPolicy[]).find((word) => POLICIES[word] === policy);
  return {
    type: (type ?? 'filter') as ChainType,
    ...(name === undefined ? {} : { hook: name }),
    prio: hook.priority ?? 0,
    ...(devices.length === 0 ? {} : { dev: devices.length === 1 ? (devices[0] as string) : devices }),
    ...(verdict === undefined ? {} : { policy: verdict }),
  };
}
