import { OBJECT_TYPES, type ObjectType } from '../../bytecode/index.ts';
import { datatype } from '../../datatype/index.ts';
import {
  CT_L3_PROTOCOLS,
  CT_TIMEOUT_STATES,
  type object,
  objectData,
  SYNPROXY_FLAGS,
} from '../../message/index.ts';
import type { Family, StatefulObject } from '../../model/index.ts';
import { decodeOpen, type ValueOf } from '../../wire/schema.ts';
import { quantity, statefulStatement } from '../stateful.ts';
import { commentIn } from './comment.ts';
import { flagNames } from './table.ts';
import { tunnelContents } from './tunnel.ts';

type Data = Readonly<Record<string, unknown>>;

const l3proto = (data: Data) =>
  Object.entries(CT_L3_PROTOCOLS).find(([, number]) => number === data.l3proto)?.[0] ?? 'inet';
const protocol = (data: Data) => datatype('inet_proto').format(BigInt(data.l4proto as number));

/** Seconds that nft takes for granted, and leaves out, by protocol and state. */
const usual: Readonly<Record<number, readonly number[]>> = {
  6: [120, 60, 432_000, 120, 60, 30, 120, 10, 120, 300, 300],
  17: [30, 120],
};

/** What each kind of object says of itself in the model. */
const contents: Readonly<Record<keyof typeof objectData, (data: Data) => Data>> = {
  counter: (data) => ({ packets: quantity(data.packets as bigint), bytes: quantity(data.bytes as bigint) }),
  quota: (data) => ({
    bytes: quantity(data.bytes as bigint),
    used: quantity((data.consumed ?? 0n) as bigint),
    inv: ((data.flags as number) & 1) !== 0,
  }),
  limit: (data) => {
    const type = data.type === 1 ? 'bytes' : 'packets';
    const statement = statefulStatement({ name: 'limit', ...data, type } as never) as unknown as {
      limit: Data;
    };
    const { burst, burst_unit: _, ...rest } = statement.limit;
    return burst === 0 ? rest : statement.limit;
  },
  connlimit: (data) => data,
  'ct helper': (data) => ({ type: data.name, protocol: protocol(data), l3proto: l3proto(data) }),
  'ct timeout': (data) => {
    const names = CT_TIMEOUT_STATES[data.l4proto as number] ?? [];
    const defaults = usual[data.l4proto as number] ?? [];
    const policy = Object.entries((data.data ?? {}) as Record<string, number>)
      .filter(([number, seconds]) => seconds !== defaults[Number(number) - 1])
      .map(([number, seconds]) => [names[Number(number) - 1] ?? number, seconds]);
    return { protocol: protocol(data), l3proto: l3proto(data), policy: Object.fromEntries(policy) };
  },
  secmark: (data) => ({ context: data.context }),
  'ct expectation': (data) => ({
    protocol: protocol(data),
    dport: data.dport,
    timeout: data.timeout,
    size: data.size,
    l3proto: l3proto(data),
  }),
  tunnel: (data) => tunnelContents(data),
  synproxy: (data) => {
    const flags = flagNames(SYNPROXY_FLAGS, (data.flags ?? 0) as number);
    return { mss: data.mss, wscale: data.wscale, ...(flags.length === 0 ? {} : { flags }) };
  },
};

/** A named object as the kernel tells it; undefined for a kind that is not known. */
export function delinearizeObject(
  family: Family,
  value: Partial<ValueOf<typeof object>>,
): StatefulObject | undefined {
  const kind = (Object.keys(OBJECT_TYPES) as ObjectType[]).find((name) => OBJECT_TYPES[name] === value.type);
  if (kind === undefined || !Object.hasOwn(objectData, kind)) return undefined;
  const known = kind as keyof typeof objectData;
  const { value: data } = decodeOpen(objectData[known], value.data ?? new Uint8Array());
  const element = {
    family,
    name: value.name ?? '',
    table: value.table ?? '',
    handle: Number(value.handle ?? 0n),
    ...commentIn(value.userdata),
    ...contents[known](data as Data),
  };
  return { [kind]: element } as unknown as StatefulObject;
}
