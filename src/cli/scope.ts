import type { Family } from '../index.ts';
import { UsageError } from './command.ts';
import { netnsOption } from './options.ts';

/** The options that say which part of the ruleset is meant. */
export const scopeOptions = { family: { type: 'string' }, table: { type: 'string' } } as const;

export const scopeHelp = `  --family F              only this family: ip, ip6, inet, arp, bridge, netdev
  --table T               only this table`;

/** The part that they mean; the connection says what is wrong with a family that is none. */
export function scopeOf({ family, table }: { readonly family?: string; readonly table?: string }): {
  readonly family?: Family;
  readonly table?: string;
} {
  return {
    ...(family === undefined ? {} : { family: family as Family }),
    ...(table === undefined ? {} : { table }),
  };
}

/** The options of commands that show a part of the ruleset, as JSON or as text. */
export const shownOptions = {
  json: { type: 'boolean' },
  text: { type: 'boolean' },
  ...scopeOptions,
  ...netnsOption,
} as const;

/** @throws UsageError where it is to be both */
export function checkForm({ json, text }: { readonly json?: boolean; readonly text?: boolean }): void {
  if (json && text) throw new UsageError('either --json or --text');
}
