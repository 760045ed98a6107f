import type { Ruleset } from '../../src/index.ts';

export const place = { family: 'inet', table: 't' } as const;
export const dport = { payload: { protocol: 'tcp', field: 'dport' } } as const;
export const port = (right: number | string) => ({ match: { op: '==', left: dport, right } }) as const;

/** A table `inet t` with these ports in a set, and a rule for each. */
export function ports(...list: readonly number[]): Ruleset {
  return {
    nftables: [
      { table: { family: 'inet', name: 't' } },
      { set: { ...place, name: 'ports', type: 'inet_service', flags: ['interval'], elem: list } },
      { chain: { ...place, name: 'c', type: 'filter', hook: 'input', prio: 0, policy: 'accept' } },
      { rule: { ...place, chain: 'c', expr: [port('@ports'), { counter: null }, { accept: null }] } },
      ...list.map(
        (number) => ({ rule: { ...place, chain: 'c', expr: [port(number), { counter: null }] } }) as const,
      ),
    ],
  };
}
