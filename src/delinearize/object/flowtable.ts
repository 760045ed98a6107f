import { FLOWTABLE_FLAGS, type flowtable } from '../../message/index.ts';
import type { Family, Flowtable, FlowtableFlag } from '../../model/index.ts';
import type { ValueOf } from '../../wire/schema.ts';
import { flagNames } from './table.ts';

/** A flowtable as the kernel tells it. */
export function delinearizeFlowtable(family: Family, value: Partial<ValueOf<typeof flowtable>>): Flowtable {
  const devices = value.hook?.devices ?? [];
  const flags = flagNames(FLOWTABLE_FLAGS, value.flags ?? 0) as FlowtableFlag[];
  return {
    family,
    name: value.name ?? '',
    table: value.table ?? '',
    handle: Number(value.handle ?? 0n),
    hook: 'ingress',
    prio: value.hook?.priority ?? 0,
    ...(devices.length === 0 ? {} : { dev: devices.length === 1 ? (devices[0] as string) : devices }),
    ...(flags.length === 0 ? {} : { flags }),
  };
}
