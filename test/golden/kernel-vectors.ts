import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Family, Ruleset, Statement } from '../../src/index.ts';
import { withoutHandles } from '../kernel/comparable.ts';
import { vectorsDirectory } from '../support/requirements.ts';

/** A listing without handles and numbers of state, devices in the order of their names. */
export function stable(ruleset: Ruleset): unknown[] {
  return withoutHandles(ruleset).map((element) => {
    const [[kind, node]] = Object.entries(element as object) as [[string, Record<string, unknown>]];
    return Array.isArray(node.dev) ? { [kind]: { ...node, dev: [...node.dev].sort() } } : element;
  });
}

/** A rule vector, with what is needed to put it into a kernel. */
export interface RuleVector {
  readonly id: string;
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  readonly base: string;
  readonly sets: readonly Readonly<Record<string, unknown>>[];
  readonly objects: readonly { readonly name: string; readonly kind: string; readonly text: string }[];
  readonly rule: string;
  readonly expr: readonly Statement[];
  readonly expr_output: readonly Statement[] | null;
}

/** The rule vectors in groups that can share a table. */
export function ruleGroups(): RuleVector[][] {
  const groups = new Map<string, RuleVector[]>();
  for (const line of readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)) {
    const vector = JSON.parse(line) as RuleVector;
    const { family, table, chain, base, sets, objects } = vector;
    const key = JSON.stringify([family, table, chain, base, sets, objects]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [vector]);
    else group.push(vector);
  }
  return [...groups.values()];
}

const SECONDS = { d: 86_400, h: 3600, m: 60, s: 1 } as const;

/** A time in nft's words, in seconds. */
function seconds(text: unknown): number {
  if (typeof text === 'number') return text;
  const parts = [...String(text).matchAll(/(\d+)([dhms])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit as 'd'], 0);
}

/** The table of a group, its chains and sets. */
export function declarationsOf(group: readonly RuleVector[]): Ruleset {
  const { family, table, chain, base, sets } = group[0] as RuleVector;
  const within = { family, table };
  const [, type, hook, dev, prio] =
    /^type (\S+) hook (\S+)(?: device (\S+))? priority (\S+)$/.exec(base) ?? [];
  const targets = JSON.stringify(group.map(({ expr }) => expr)).matchAll(/"target":"(\w+)"/g);
  const others = new Set([...targets].map(([, target]) => target).filter((target) => target !== chain));
  const named = sets.map((set) => ({
    [set.map === undefined ? 'set' : 'map']: {
      ...within,
      ...set,
      ...(set.timeout === undefined ? {} : { timeout: seconds(set.timeout) }),
    },
  }));
  return {
    nftables: [
      { table: { family, name: table } },
      { chain: { ...within, name: chain, type, hook, prio: Number(prio), ...(dev && { dev }) } },
      ...[...others].map((name) => ({ chain: { ...within, name } })),
      ...named,
    ],
  } as unknown as Ruleset;
}

/** The objects of a group in nft's words, as a file for nft. */
export function objectsOf([first]: readonly RuleVector[]): string {
  const { family, table, objects } = first as RuleVector;
  return objects
    .map(({ kind, name, text }) => {
      const body = text.slice(kind.length).trim();
      return `add ${kind} ${family} ${table} ${name} ${body.startsWith('{') ? body : `{ ${body}; }`}\n`;
    })
    .join('');
}
