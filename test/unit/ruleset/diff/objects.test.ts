import type { Ruleset } from '../../../../src/index.ts';
import { chain, rows, rule, table, thing } from '../pairs.ts';

const object = (kind: string, node: object): Ruleset => table(thing(kind, { name: 'o', ...node }));
rows('objects', [
  ['a counter that has counted', object('counter', { packets: 5, bytes: 500 }), object('counter', {}), []],
  [
    'a comment: anew, and it goes on counting',
    object('counter', { packets: 5, bytes: 500 }),
    object('counter', { comment: 'x' }),
    ['delete counter o', 'add counter o {"comment":"x","packets":5,"bytes":500}'],
  ],
  [
    'a quota that is used',
    object('quota', { bytes: 1000, used: 7, inv: false }),
    object('quota', { bytes: 1000 }),
    [],
  ],
  [
    'another quota, in place: what was used stays',
    object('quota', { bytes: 1000, used: 7, inv: false }),
    object('quota', { bytes: 2000 }),
    ['add quota o {"bytes":2000}'],
  ],
  [
    'a limit with its defaults',
    object('limit', { rate: 10, per: 'second', burst: 5 }),
    object('limit', { rate: 10 }),
    [],
  ],
  [
    'another limit: anew',
    object('limit', { rate: 10, per: 'second' }),
    object('limit', { rate: 20, per: 'second' }),
    ['delete limit o', 'add limit o {"rate":20,"per":"second"}'],
  ],
  [
    'a helper',
    object('ct helper', { type: 'ftp', protocol: 'tcp', l3proto: 'ip' }),
    object('ct helper', { type: 'sip', protocol: 'tcp', l3proto: 'ip' }),
    ['delete ct helper o', 'add ct helper o {"type":"sip","protocol":"tcp","l3proto":"ip"}'],
  ],
  [
    'an expectation',
    object('ct expectation', { protocol: 'tcp', dport: 1, timeout: 5, size: 2, l3proto: 'ip' }),
    object('ct expectation', { protocol: 6, dport: 1, timeout: 5, size: 2, l3proto: 'ip' }),
    [],
  ],
  ['a synproxy', object('synproxy', { mss: 1460, wscale: 0 }), object('synproxy', { mss: 1460 }), []],
  [
    'another synproxy',
    object('synproxy', { mss: 1460, wscale: 7 }),
    object('synproxy', { mss: 1400, wscale: 7 }),
    ['delete synproxy o', 'add synproxy o {"mss":1400,"wscale":7}'],
  ],
  [
    'one that goes after the rule that names it',
    table(chain('c'), thing('counter', { name: 'o' }), rule('c', 4, { counter: 'o' })),
    table(chain('c')),
    ['delete rule c {"handle":4}', 'delete counter o'],
  ],
  [
    'the same name in two kinds',
    table(thing('counter', { name: 'o' })),
    table(thing('counter', { name: 'o' }), thing('quota', { name: 'o', bytes: 5 })),
    ['add quota o {"bytes":5}'],
  ],
]);
