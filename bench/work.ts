import type { Command, Family, RulesetElement } from '../src/index.ts';
import { nftjs } from './library.ts';

/** What a driver is to do, in the form that each of them takes. */
export interface Work {
  /** What is there before: the sets that the commands name. Not measured. */
  readonly setup: readonly Command[];
  /** The commands, as libnftables JSON. Making them is part of what is measured of nftjs. */
  readonly commands: () => readonly Command[];
  /** The same with elements in rows of bytes, made beforehand. */
  readonly packed?: () => readonly Command[];
  /** The same in nft's syntax; making it is not measured. */
  readonly text: () => string;
}

/** Where everything happens. */
export const TABLE = { family: 'inet', table: 'bench' } as const satisfies { family: Family; table: string };

export const addTable: Command = { add: { table: { family: TABLE.family, name: TABLE.table } } };
export const deleteTable: Command = { delete: { table: { family: TABLE.family, name: TABLE.table } } };

/** Work that only adds what a listing could show. */
export function declaration(elements: () => readonly RulesetElement[]): Work {
  return {
    setup: [],
    commands: () => elements().map((add) => ({ add }) as Command),
    text: () => nftjs.formatRuleset({ nftables: elements() }),
  };
}
