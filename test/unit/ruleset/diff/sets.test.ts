import type { Ruleset } from '../../../../src/index.ts';
import { chain, dport, jump, map, rows, rule, set, table } from '../pairs.ts';

rows('sets', [
  [
    'a new one with its elements',
    table(),
    table(set('s', { elem: [1, 2] })),
    ['add set s {"type":"inet_service","elem":[1,2]}'],
  ],
  [
    'one that goes after the rules that look into it',
    table(chain('c'), set('s'), rule('c', 4, dport('@s'))),
    table(chain('c')),
    ['delete rule c {"handle":4}', 'delete set s'],
  ],
  [
    'another type: anew, with the rules',
    table(chain('c'), set('s'), rule('c', 4, dport('@s'))),
    table(chain('c'), set('s', { type: 'inet_service', size: 9 }), rule('c', 0, dport('@s'))),
    [
      'delete rule c {"handle":4}',
      'delete set s',
      'add set s {"type":"inet_service","size":9}',
      `add rule c ${JSON.stringify({ expr: [dport('@s')] })}`,
    ],
  ],
  [
    'a set becomes a map',
    table(set('s')),
    table(map('s')),
    ['delete set s', 'add map s {"type":"inet_service","map":"verdict"}'],
  ],
  [
    'flags: anew',
    table(set('s')),
    table(set('s', { flags: ['interval'] })),
    ['delete set s', 'add set s {"type":"inet_service","flags":["interval"]}'],
  ],
  [
    'flags in another order',
    table(set('s', { flags: ['interval', 'timeout'] })),
    table(set('s', { flags: ['timeout', 'interval'] })),
    [],
  ],
  [
    'a timeout, in place',
    table(set('s', { flags: ['timeout'] })),
    table(set('s', { timeout: 60 })),
    ['add set s {"type":"inet_service","timeout":60}'],
  ],
  [
    'a timeout, before Linux 6.2: anew',
    table(set('s', { flags: ['timeout'] })),
    table(set('s', { timeout: 60 })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60}'],
    { kernel: '6.1.0-53-amd64' },
  ],
  [
    'a timeout for elements that have none of their own: they come again, with the new one',
    table(
      set('s', {
        timeout: 60,
        elem: [1, { elem: { val: 2, timeout: 90, expires: 80 } }, { elem: { val: 3, timeout: 30 } }],
      }),
    ),
    table(set('s', { timeout: 90, elem: [1, 2, { elem: { val: 3, timeout: 30 } }] })),
    [
      'destroy element s {"elem":[1]}',
      'add set s {"type":"inet_service","timeout":90}',
      'add element s {"elem":[{"elem":{"val":1,"timeout":90}}]}',
    ],
  ],
  [
    'no timeout any more',
    table(set('s', { timeout: 60, flags: ['timeout'], elem: [1] })),
    table(set('s', { flags: ['timeout'], elem: [1] })),
    [
      'destroy element s {"elem":[1]}',
      'add set s {"type":"inet_service","flags":["timeout"]}',
      'add element s {"elem":[{"elem":{"val":1,"timeout":0}}]}',
    ],
  ],
  [
    'a gc-interval, in place',
    table(set('s', { timeout: 60 })),
    table(set('s', { timeout: 60, 'gc-interval': 5 })),
    ['add set s {"type":"inet_service","timeout":60,"gc-interval":5}'],
  ],
  [
    'a size, in place',
    table(set('s', { timeout: 60, size: 8, elem: [1] })),
    table(set('s', { timeout: 60, size: 16, elem: [1, 2] })),
    ['add set s {"type":"inet_service","timeout":60,"size":16}', 'add element s {"elem":[2]}'],
  ],
  [
    'a size, before Linux 6.5: anew',
    table(set('s', { timeout: 60, size: 8 })),
    table(set('s', { timeout: 60, size: 16 })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60,"size":16}'],
    { kernel: '6.4' },
  ],
  [
    'a size that the new elements need: anew',
    table(set('s', { timeout: 60, size: 1, elem: [1] })),
    table(set('s', { timeout: 60, size: 2, elem: [1, 2] })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60,"size":2,"elem":[1,2]}'],
  ],
  [
    'no size any more: anew',
    table(set('s', { timeout: 60, size: 8 })),
    table(set('s', { timeout: 60 })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60}'],
  ],
  [
    'a size for which a hash table is large enough, in place',
    table(set('s', { size: 49 })),
    table(set('s', { size: 96 })),
    ['add set s {"type":"inet_service","size":96}'],
  ],
  [
    'a size for which a hash table is too small: anew',
    table(set('s', { size: 96 })),
    table(set('s', { size: 97 })),
    ['delete set s', 'add set s {"type":"inet_service","size":97}'],
  ],
  [
    'the policy: anew',
    table(set('s')),
    table(set('s', { policy: 'memory' })),
    ['delete set s', 'add set s {"type":"inet_service","policy":"memory"}'],
  ],
  ['the usual policy', table(set('s')), table(set('s', { policy: 'performance' })), []],
  [
    'a comment: anew',
    table(set('s')),
    table(set('s', { comment: 'x' })),
    ['delete set s', 'add set s {"type":"inet_service","comment":"x"}'],
  ],
  [
    'auto-merge: anew',
    table(set('s', { flags: ['interval'] })),
    table(set('s', { flags: ['interval'], 'auto-merge': true })),
    ['delete set s', 'add set s {"type":"inet_service","flags":["interval"],"auto-merge":true}'],
  ],
  [
    'statements: anew',
    table(set('s')),
    table(set('s', { stmt: [{ counter: null }] })),
    ['delete set s', 'add set s {"type":"inet_service","stmt":[{"counter":null}]}'],
  ],
  [
    'made anew, elements keep their time and go on counting',
    table(
      set('s', {
        timeout: 60,
        stmt: [{ counter: null }],
        elem: [{ elem: { val: 1, expires: 9, counter: { packets: 4, bytes: 5 } } }],
      }),
    ),
    table(set('s', { timeout: 60, stmt: [{ counter: null }], comment: 'x', elem: [1, 2] })),
    [
      'delete set s',
      'add set s {"type":"inet_service","timeout":60,"stmt":[{"counter":null}],"comment":"x","elem":[{"elem":{"val":1,"expires":9,"counter":{"packets":4,"bytes":5}}},2]}',
    ],
  ],
]);

const dynamic = (more: object): Ruleset => table(set('s', { flags: ['dynamic'], ...more }));
const filled = (more: object): Ruleset =>
  table(
    set('s', more),
    chain('c'),
    rule('c', 1, { set: { op: 'add', elem: { payload: { protocol: 'tcp', field: 'dport' } }, set: '@s' } }),
  );
rows('dynamic sets', [
  ['the packets keep what they added', dynamic({ elem: [1, 2] }), dynamic({}), []],
  [
    'unless it is said that there is nothing',
    dynamic({ elem: [1] }),
    dynamic({ elem: [] }),
    ['destroy element s {"elem":[1]}'],
  ],
  [
    'a set that grows keeps them',
    dynamic({ elem: [1], size: 8 }),
    dynamic({ size: 16 }),
    ['add set s {"type":"inet_service","flags":["dynamic"],"size":16}'],
  ],
  [
    'a set that is made anew takes them along',
    dynamic({ elem: [1], size: 8 }),
    dynamic({ size: 8, comment: 'x' }),
    [
      'delete set s',
      'add set s {"type":"inet_service","flags":["dynamic"],"size":8,"comment":"x","elem":[1]}',
    ],
  ],
  ['a rule that adds gives a size to what has none', filled({ size: 65535 }), filled({}), []],
  [
    'but not to what has one',
    filled({ size: 65535 }),
    filled({ size: 9 }),
    ['add set s {"type":"inet_service","size":9,"flags":["dynamic"]}'],
  ],
  [
    'what they added goes with the chain that it jumps to',
    table(
      chain('c'),
      chain('d'),
      map('m', {
        flags: ['dynamic'],
        elem: [
          [1, jump('c')],
          [2, jump('d')],
        ],
      }),
    ),
    table(chain('d', { comment: 'x' }), map('m', { flags: ['dynamic'] })),
    [
      'destroy element m {"elem":[[1,{"jump":{"target":"c"}}],[2,{"jump":{"target":"d"}}]]}',
      'delete chain c',
      'delete chain d',
      'add chain d {"comment":"x"}',
      'add element m {"elem":[[2,{"jump":{"target":"d"}}]]}',
    ],
  ],
]);
