import type { Ruleset } from '../../../src/index.ts';

/** Commands about one table, in few words: many scenarios are made of them. */
export type Command = Ruleset['nftables'][number];

type Node = Readonly<Record<string, unknown>>;

/** What a verb is about: an object with its kind. */
export type Thing = Readonly<Record<string, Node | null>>;

const verb =
  (name: string) =>
  (thing: Thing): Command =>
    ({ [name]: thing }) as unknown as Command;

export const add = verb('add');
export const create = verb('create');
export const insert = verb('insert');
export const replace = verb('replace');
export const remove = verb('delete');
export const destroy = verb('destroy');
export const flush = verb('flush');
export const rename = verb('rename');
export const reset = verb('reset');

/** Things of a family's table, by default the table `t` of inet. */
export function within(family: string, table = 't') {
  const place = { family, table };
  const named =
    (kind: string) =>
    (name: string, more: Node = {}): Thing => ({ [kind]: { ...place, name, ...more } });
  return {
    table: (more: Node = {}): Thing => ({ table: { family, name: table, ...more } }),
    chain: named('chain'),
    base: (name: string, hook = 'input', more: Node = {}): Thing => ({
      chain: { ...place, name, type: 'filter', hook, prio: 0, ...more },
    }),
    rule: (chain: string, expr: readonly unknown[], more: Node = {}): Thing => ({
      rule: { ...place, chain, expr, ...more },
    }),
    ruleAt: (chain: string, handle: number, more: Node = {}): Thing => ({
      rule: { ...place, chain, handle, ...more },
    }),
    set: (name: string, more: Node = {}): Thing => ({ set: { ...place, name, type: 'ipv4_addr', ...more } }),
    map: (name: string, more: Node = {}): Thing => ({
      map: { ...place, name, type: 'ipv4_addr', map: 'verdict', ...more },
    }),
    elem: (name: string, ...elem: readonly unknown[]): Thing => ({ element: { ...place, name, elem } }),
    counter: named('counter'),
    quota: (name: string, more: Node = {}): Thing => ({ quota: { ...place, name, bytes: 1000, ...more } }),
    limit: (name: string, more: Node = {}): Thing => ({
      limit: { ...place, name, rate: 10, per: 'second', ...more },
    }),
    flowtable: named('flowtable'),
    /** Only the name, as deleting wants it. */
    named,
  };
}

export const accept = { accept: null };
export const counter = { counter: null };
export const jump = (target: string) => ({ jump: { target } });
export const goTo = (target: string) => ({ goto: { target } });
const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
const dport = { payload: { protocol: 'tcp', field: 'dport' } };
export const from = (right: unknown) => ({ match: { op: '==', left: saddr, right } });
export const to = (right: unknown) => ({ match: { op: '==', left: dport, right } });
export const vmap = (data: unknown, key: unknown = saddr) => ({ vmap: { key, data } });
export const update = (op: string, set: string, more: object = {}) => ({
  set: { op, elem: saddr, set: `@${set}`, ...more },
});
export const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });
export const range = (low: unknown, high: unknown) => ({ range: [low, high] });
export const concat = (...parts: readonly unknown[]) => ({ concat: parts });
export const timed = (val: unknown, timeout: number, more: object = {}) => ({
  elem: { val, timeout, ...more },
});
