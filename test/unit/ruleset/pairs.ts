import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type Command,
  type DiffOptions,
  diff,
  type Ruleset,
  type RulesetElement,
} from '../../../src/index.ts';

/** No table at all. */
export const nothing: Ruleset = { nftables: [] };

type Items = readonly (RulesetElement | Command)[];

const own = { family: 'inet', table: 't' } as const;

/** A table `inet t` with these things in it; rules get handles from 101 on, as a listing's have. */
export function table(...items: Items): Ruleset {
  return { nftables: [{ table: { family: 'inet', name: 't' } }, ...items] };
}

/** A thing of that table. */
export function thing(kind: string, node: object): RulesetElement {
  return { [kind]: { ...own, ...node } } as unknown as RulesetElement;
}

export const chain = (name: string, more: object = {}): RulesetElement => thing('chain', { name, ...more });
export const base = (name: string, more: object = {}): RulesetElement =>
  chain(name, { type: 'filter', hook: 'input', prio: 0, policy: 'accept', ...more });
export const rule = (chainName: string, handle: number, ...expr: object[]): RulesetElement =>
  thing('rule', { chain: chainName, handle, expr });
export const set = (name: string, more: object = {}): RulesetElement =>
  thing('set', { name, type: 'inet_service', ...more });
export const map = (name: string, more: object = {}): RulesetElement =>
  thing('map', { name, type: 'inet_service', map: 'verdict', ...more });

/** `tcp dport …` */
export const dport = (right: unknown, op = '=='): object => ({
  match: { op, left: { payload: { protocol: 'tcp', field: 'dport' } }, right },
});
export const saddr = (right: unknown, op = '=='): object => ({
  match: { op, left: { payload: { protocol: 'ip', field: 'saddr' } }, right },
});
export const jump = (target: string): object => ({ jump: { target } });
export const accept = { accept: null };
export const drop = { drop: null };

/**
 * The commands of the difference, each as text: verb, kind, name, and what else the command says of it,
 * without family and table.
 */
export function commandsOf(current: Ruleset, desired: Ruleset, options?: DiffOptions): string[] {
  return diff(current, desired, options).nftables.map((command) => {
    const [[verb, target]] = Object.entries(command) as [[string, object]];
    const [[kind, node]] = Object.entries(target) as [[string, Record<string, unknown>]];
    const { family: _, table: __, name, chain: chainName, ...rest } = node;
    const words = [verb, kind, name ?? chainName, Object.keys(rest).length > 0 ? JSON.stringify(rest) : ''];
    return words.filter((word) => word !== '').join(' ');
  });
}

/** A change from one ruleset to another, and the commands that make it. */
type Row = readonly [
  title: string,
  current: Ruleset,
  desired: Ruleset,
  commands: readonly string[],
  options?: DiffOptions,
];

/** A test for each row; for the kernel that can change the most in place, where the row names no other. */
export function rows(title: string, list: readonly Row[]): void {
  suite(title, () => {
    for (const [name, current, desired, commands, options] of list) {
      test(name, () =>
        assert.deepEqual(commandsOf(current, desired, { kernel: '6.18', ...options }), commands),
      );
    }
  });
}
