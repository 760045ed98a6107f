import { TABLE_FLAGS, type table } from '../../message/index.ts';
import type { Family, Table, TableFlag } from '../../model/index.ts';
import type { ValueOf } from '../../wire/schema.ts';
import { commentIn } from './comment.ts';

/** A table as the kernel tells it. */
export function delinearizeTable(family: Family, value: Partial<ValueOf<typeof table>>): Table {
  const flags = flagNames(TABLE_FLAGS, value.flags ?? 0) as TableFlag[];
  const [only, ...others] = flags;
  return {
    family,
    name: value.name ?? '',
    handle: Number(value.handle ?? 0n),
    ...(only === undefined ? {} : { flags: others.length === 0 ? only : flags }),
    ...commentIn(value.userdata),
  };
}

/** The names of the bits that are set. */
export function flagNames(table: Readonly<Record<string, number>>, bits: number): string[] {
  return Object.keys(table).filter((name) => bits & (table[name] as number));
}
