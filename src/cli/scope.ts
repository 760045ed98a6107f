import type { Family } from '../index.ts';

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
