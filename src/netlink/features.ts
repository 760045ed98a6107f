import type { Ruleset } from '../model/index.ts';

/** Things that not every kernel has, by what a rule with them says. */
export const FEATURES = ['meta ibrname', 'bridge reject', 'bridge ct', 'flowtable', 'queue'] as const;

export type Feature = (typeof FEATURES)[number];

const PROBE = 'nftjs-probe';

function rule(family: 'bridge' | 'ip', hook: string, ...expr: readonly object[]): Ruleset {
  const place = { family, table: PROBE };
  return {
    nftables: [
      { add: { table: { family, name: PROBE } } },
      { add: { chain: { ...place, name: 'probe', type: 'filter', hook: hook as 'input', prio: 0 } } },
      { add: { rule: { ...place, chain: 'probe', expr: expr as never } } },
    ],
  };
}

/** A transaction that the kernel finds valid only where it has the feature; it is checked, never committed. */
export function probeOf(feature: Feature): Ruleset {
  switch (feature) {
    case 'meta ibrname':
      return rule('bridge', 'prerouting', {
        match: { left: { meta: { key: 'ibrname' } }, op: '==', right: 'br0' },
      });
    case 'bridge reject':
      return rule('bridge', 'input', { reject: null });
    case 'bridge ct':
      return rule('bridge', 'prerouting', {
        match: { left: { ct: { key: 'state' } }, op: 'in', right: 'new' },
      });
    case 'queue':
      return rule('ip', 'input', { queue: null });
    case 'flowtable':
      return {
        nftables: [
          { add: { table: { family: 'ip', name: PROBE } } },
          { add: { flowtable: { family: 'ip', table: PROBE, name: 'probe', hook: 'ingress', prio: 0 } } },
        ],
      };
  }
}
