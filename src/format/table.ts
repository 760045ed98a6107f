import type { Table } from '../model/index.ts';
import { type FormatOptions, handleText } from './options.ts';
import { block, listOf, name, quoted } from './text.ts';

const flagOrder = ['dormant', 'owner', 'persist'] as const;

/** A table with the blocks of what lives in it, an empty line between them. */
export function tableText(table: Table, blocks: readonly string[], options: FormatOptions): string {
  const set = listOf(table.flags);
  const flags = flagOrder.filter((flag) => set.includes(flag));
  const lines = [
    ...(flags.length > 0 ? [`flags ${flags.join(',')}`] : []),
    ...(table.comment === undefined ? [] : [`comment ${quoted(table.comment)}`]),
  ];
  const separated = blocks.flatMap((text, i) => (i > 0 || flags.length > 0 ? ['', text] : [text]));
  const head = `table ${name(table.family)} ${name(table.name)}`;
  return block(head, [...lines, ...separated], handleText(table.handle, options));
}
