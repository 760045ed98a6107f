import type { Ruleset } from '../../../../src/index.ts';
import { accept, chain, dport, jump, map, rows, rule, set, table, thing } from '../pairs.ts';

const interval = (...elem: unknown[]): Ruleset => table(set('s', { flags: ['interval'], elem }));
const merging = (...elem: unknown[]): Ruleset =>
  table(set('s', { flags: ['interval'], 'auto-merge': true, elem }));
const hash = (...elem: unknown[]): Ruleset => table(set('s', { elem }));
const verdicts = (...elem: unknown[]): Ruleset => table(chain('c'), chain('d'), map('m', { elem }));
const range = (low: number, high: number) => ({ range: [low, high] });
const address = (...elem: unknown[]): Ruleset =>
  table(set('s', { type: 'ipv4_addr', flags: ['interval'], elem }));
rows('elements', [
  [
    'of a constant set: it is made anew, with the rules',
    table(set('s', { flags: ['constant'], elem: [1] }), chain('c'), rule('c', 4, dport('@s'))),
    table(set('s', { flags: ['constant'], elem: [1, 2] }), chain('c'), rule('c', 0, dport('@s'))),
    [
      'delete rule c {"handle":4}',
      'delete set s',
      'add set s {"type":"inet_service","flags":["constant"],"elem":[1,2]}',
      `add rule c ${JSON.stringify({ expr: [dport('@s')] })}`,
    ],
  ],
  [
    'of a constant map that jump to a chain which is made anew',
    table(chain('c'), map('m', { flags: ['constant'], elem: [[1, jump('c')]] })),
    table(chain('c', { comment: 'x' }), map('m', { flags: ['constant'], elem: [[1, jump('c')]] })),
    [
      'delete map m',
      'delete chain c',
      'add chain c {"comment":"x"}',
      'add map m {"type":"inet_service","map":"verdict","flags":["constant"],"elem":[[1,{"jump":{"target":"c"}}]]}',
    ],
  ],
  [
    'a neighbour in a set that merges',
    merging(range(60, 69)),
    merging(range(50, 59), range(60, 69)),
    [
      'delete element s {"elem":[{"range":[60,69]}]}',
      'add element s {"elem":[{"range":[50,59]},{"range":[60,69]}]}',
    ],
  ],
  ['neighbours that were merged', merging(range(50, 69)), merging(range(50, 59), range(60, 69)), []],
  [
    'one comes, one goes',
    hash(1, 2),
    hash(2, 3),
    ['delete element s {"elem":[1]}', 'add element s {"elem":[3]}'],
  ],
  ['by number or by name', hash(22, 80), hash('http', 'ssh'), []],
  [
    'from commands of their own',
    hash(1, 2),
    table(set('s', { elem: [1] }), thing('element', { name: 's', elem: [2] })),
    [],
  ],
  [
    'a comment: that one anew',
    hash(1, 2),
    hash(1, { elem: { val: 2, comment: 'x' } }),
    ['delete element s {"elem":[2]}', 'add element s {"elem":[{"elem":{"val":2,"comment":"x"}}]}'],
  ],
  [
    'singles, ranges and neighbours that cover the same',
    interval(1, 2, range(3, 5)),
    interval(range(1, 5)),
    [],
  ],
  ['a range cut elsewhere', interval(range(1, 3), range(4, 9)), interval(range(1, 6), range(7, 9)), []],
  [
    'a range that grows',
    interval(range(1, 3), 9),
    interval(range(1, 4), 9),
    ['delete element s {"elem":[{"range":[1,3]}]}', 'add element s {"elem":[{"range":[1,4]}]}'],
  ],
  [
    'one of two neighbours goes',
    interval(range(1, 3), range(4, 9)),
    interval(range(1, 3)),
    ['delete element s {"elem":[{"range":[4,9]}]}'],
  ],
  [
    'a range to the greatest',
    interval(range(60000, 65535)),
    interval(range(60000, 65534)),
    [
      'delete element s {"elem":[{"range":[60000,65535]}]}',
      'add element s {"elem":[{"range":[60000,65534]}]}',
    ],
  ],
  [
    'a prefix and a range',
    address({ prefix: { addr: '10.0.0.0', len: 8 } }),
    address({ range: ['10.0.0.0', '10.255.255.255'] }),
    [],
  ],
  [
    'what carries something is not cut',
    interval({ elem: { val: range(1, 2), comment: 'x' } }),
    interval({ elem: { val: 1, comment: 'x' } }, { elem: { val: 2, comment: 'x' } }),
    [
      'delete element s {"elem":[{"range":[1,2]}]}',
      'add element s {"elem":[{"elem":{"val":1,"comment":"x"}},{"elem":{"val":2,"comment":"x"}}]}',
    ],
  ],
  [
    'overlapping ones in a set that merges',
    table(set('s', { flags: ['interval'], 'auto-merge': true, elem: [range(1, 8)] })),
    table(set('s', { flags: ['interval'], 'auto-merge': true, elem: [range(1, 5), range(4, 8)] })),
    [],
  ],
  [
    'what is left of their time is not asked',
    table(set('s', { timeout: 60, elem: [{ elem: { val: 1, expires: 12 } }] })),
    table(set('s', { timeout: 60, elem: [1] })),
    [],
  ],
  [
    'the timeout of the set itself',
    table(set('s', { timeout: 60, elem: [1] })),
    table(set('s', { timeout: 60, elem: [{ elem: { val: 1, timeout: 60 } }] })),
    [],
  ],
  [
    'another timeout; what expires may be gone by itself',
    table(set('s', { flags: ['timeout'], elem: [{ elem: { val: 1, timeout: 60, expires: 5 } }] })),
    table(set('s', { flags: ['timeout'], elem: [{ elem: { val: 1, timeout: 90 } }] })),
    ['destroy element s {"elem":[1]}', 'add element s {"elem":[{"elem":{"val":1,"timeout":90}}]}'],
  ],
  [
    'counters of elements',
    table(
      set('s', {
        stmt: [{ counter: null }],
        elem: [{ elem: { val: 1, counter: { packets: 4, bytes: 5 } } }],
      }),
    ),
    table(set('s', { stmt: [{ counter: null }], elem: [1] })),
    [],
  ],
  [
    'the catch-all',
    table(set('s', { elem: [1, '*'] })),
    table(set('s', { elem: [1] })),
    ['delete element s {"elem":["*"]}'],
  ],
  [
    'another verdict for a key',
    verdicts([1, jump('c')]),
    verdicts([1, jump('d')]),
    [
      'delete element m {"elem":[[1,{"jump":{"target":"c"}}]]}',
      'add element m {"elem":[[1,{"jump":{"target":"d"}}]]}',
    ],
  ],
  [
    'a chain goes after the element that jumps to it',
    verdicts([1, jump('c')], [2, jump('d')]),
    table(chain('d'), map('m', { elem: [[2, jump('d')]] })),
    ['delete element m {"elem":[[1,{"jump":{"target":"c"}}]]}', 'delete chain c'],
  ],
  [
    'a chain made anew takes its elements along',
    verdicts([1, jump('c')], [2, accept]),
    table(
      chain('c', { comment: 'x' }),
      chain('d'),
      map('m', {
        elem: [
          [1, jump('c')],
          [2, accept],
        ],
      }),
    ),
    [
      'delete element m {"elem":[[1,{"jump":{"target":"c"}}]]}',
      'delete chain c',
      'add chain c {"comment":"x"}',
      'add element m {"elem":[[1,{"jump":{"target":"c"}}]]}',
    ],
  ],
  [
    'an object made anew takes the elements of its map along',
    table(thing('counter', { name: 'o' }), map('m', { map: 'counter', elem: [[1, 'o']] })),
    table(thing('counter', { name: 'o', comment: 'x' }), map('m', { map: 'counter', elem: [[1, 'o']] })),
    [
      'delete element m {"elem":[[1,"o"]]}',
      'delete counter o',
      'add counter o {"comment":"x","packets":0,"bytes":0}',
      'add element m {"elem":[[1,"o"]]}',
    ],
  ],
]);
