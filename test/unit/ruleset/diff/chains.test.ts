import type { Ruleset } from '../../../../src/index.ts';
import { accept, base, chain, drop, jump, rows, rule, table } from '../pairs.ts';

rows('chains', [
  ['a new one', table(), table(chain('c')), ['add chain c']],
  ['one that goes', table(chain('c')), table(), ['delete chain c']],
  [
    'one that goes with rules',
    table(chain('c'), rule('c', 5, accept)),
    table(),
    ['flush chain c', 'delete chain c'],
  ],
  [
    'two that go and jump to each other',
    table(chain('c'), chain('d'), rule('c', 5, jump('d')), rule('d', 6, jump('c'))),
    table(),
    ['flush chain c', 'flush chain d', 'delete chain c', 'delete chain d'],
  ],
  [
    'one that rules jump to goes after them',
    table(base('b'), chain('c'), rule('b', 5, jump('c'))),
    table(base('b')),
    ['delete rule b {"handle":5}', 'delete chain c'],
  ],
  [
    'the policy, in place',
    table(base('b')),
    table(base('b', { policy: 'drop' })),
    ['add chain b {"type":"filter","hook":"input","prio":0,"policy":"drop"}'],
  ],
  [
    'no policy is accept',
    table(base('b')),
    table(chain('b', { type: 'filter', hook: 'input', prio: 0 })),
    [],
  ],
  [
    'back to no policy, in place',
    table(base('b', { policy: 'drop' })),
    table(chain('b', { type: 'filter', hook: 'input', prio: 0 })),
    ['add chain b {"type":"filter","hook":"input","prio":0,"policy":"accept"}'],
  ],
  ['a priority by name', table(base('b')), table(base('b', { prio: 'filter' })), []],
  [
    'another priority: anew',
    table(base('b'), rule('b', 5, accept)),
    table(base('b', { prio: 1 }), rule('b', 0, accept)),
    [
      'flush chain b',
      'delete chain b',
      'add chain b {"type":"filter","hook":"input","prio":1,"policy":"accept"}',
      'add rule b {"expr":[{"accept":null}]}',
    ],
  ],
  [
    'another hook: anew',
    table(base('b')),
    table(base('b', { hook: 'output' })),
    ['delete chain b', 'add chain b {"type":"filter","hook":"output","prio":0,"policy":"accept"}'],
  ],
  [
    'another type: anew',
    table(base('b', { hook: 'output' })),
    table(base('b', { hook: 'output', type: 'route' })),
    ['delete chain b', 'add chain b {"type":"route","hook":"output","prio":0,"policy":"accept"}'],
  ],
  [
    'a base chain becomes a regular one',
    table(base('b')),
    table(chain('b')),
    ['delete chain b', 'add chain b'],
  ],
  [
    'a comment: anew, and the rules that jump to it',
    table(
      base('b'),
      chain('c'),
      rule('b', 5, accept),
      rule('b', 6, { counter: { packets: 3, bytes: 9 } }, jump('c')),
      rule('b', 7, drop),
    ),
    table(
      base('b'),
      chain('c', { comment: 'x' }),
      rule('b', 0, accept),
      rule('b', 0, { counter: null }, jump('c')),
      rule('b', 0, drop),
    ),
    [
      'delete rule b {"handle":6}',
      'delete chain c',
      'add chain c {"comment":"x"}',
      'insert rule b {"expr":[{"counter":{"packets":3,"bytes":9}},{"jump":{"target":"c"}}],"handle":7}',
    ],
  ],
]);

const ingress = (dev: unknown, more: object = {}): Ruleset =>
  table(base('b', { hook: 'ingress', dev, ...more }));
rows('devices of a chain', [
  ['in another order', ingress(['a', 'b']), ingress(['b', 'a']), []],
  ['one alone or in a list', ingress('a'), ingress(['a']), []],
  [
    'another one, in place',
    ingress(['a']),
    ingress(['b', 'c'], { policy: 'drop' }),
    [
      'delete chain b {"type":"filter","hook":"ingress","prio":0,"dev":["a"]}',
      'add chain b {"type":"filter","hook":"ingress","prio":0,"policy":"drop","dev":["b","c"]}',
    ],
  ],
  [
    'one that goes and the policy, in place',
    ingress(['a', 'b']),
    ingress(['b'], { policy: 'drop' }),
    [
      'delete chain b {"type":"filter","hook":"ingress","prio":0,"dev":["a"]}',
      'add chain b {"type":"filter","hook":"ingress","prio":0,"policy":"drop"}',
    ],
  ],
  [
    'another one, before Linux 6.4: anew',
    ingress(['a']),
    ingress(['a', 'b']),
    [
      'delete chain b',
      'add chain b {"type":"filter","hook":"ingress","prio":0,"policy":"accept","dev":["a","b"]}',
    ],
    { kernel: '6.3.9' },
  ],
  [
    'one that two chains get: the second anew, as no transaction gives it to both',
    table(base('b', { hook: 'ingress', dev: ['a'] }), base('c', { hook: 'ingress', prio: 1, dev: ['a'] })),
    table(
      base('b', { hook: 'ingress', dev: ['a', 'x'] }),
      base('c', { hook: 'ingress', prio: 1, dev: ['a', 'x'] }),
    ),
    [
      'delete chain c',
      'add chain b {"type":"filter","hook":"ingress","prio":0,"policy":"accept","dev":["x"]}',
      'add chain c {"type":"filter","hook":"ingress","prio":1,"policy":"accept","dev":["a","x"]}',
    ],
  ],
]);
