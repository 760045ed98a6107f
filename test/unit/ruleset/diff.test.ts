import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompileError, diff, type Ruleset, type RulesetElement } from '../../../src/index.ts';
import {
  accept,
  base,
  chain,
  commandsOf,
  dport,
  drop,
  jump,
  map,
  rule,
  saddr,
  set,
  table,
  thing,
} from './pairs.ts';

/** A change from one ruleset to another, and the commands that make it. */
type Row = readonly [title: string, current: Ruleset, desired: Ruleset, commands: readonly string[]];

function rows(title: string, list: readonly Row[]): void {
  suite(title, () => {
    for (const [name, current, desired, commands] of list) {
      test(name, () => assert.deepEqual(commandsOf(current, desired), commands));
    }
  });
}

const titled = (node: object, ...items: RulesetElement[]): Ruleset => ({
  nftables: [{ table: { family: 'inet', name: 't', ...node } }, ...items],
});
const nothing: Ruleset = { nftables: [] };

rows('tables', [
  ['a new one', nothing, table(chain('c')), ['add table t', 'add chain c']],
  ['the same', table(chain('c')), table(chain('c')), []],
  ['handles do not matter', titled({ handle: 7 }, chain('c', { handle: 3 })), table(chain('c')), []],
  ['dormant, in place', table(), titled({ flags: ['dormant'] }), ['add table t {"flags":["dormant"]}']],
  ['no longer dormant, in place', titled({ flags: ['dormant'] }), table(), ['add table t']],
  ['one flag alone or in a list', titled({ flags: ['dormant'] }), titled({ flags: 'dormant' }), []],
  [
    'dormant, with a base chain that comes: anew',
    table(chain('c')),
    titled({ flags: ['dormant'] }, chain('c'), base('b')),
    [
      'delete table t',
      'add table t {"flags":["dormant"]}',
      'add chain c',
      'add chain b {"type":"filter","hook":"input","prio":0,"policy":"accept"}',
    ],
  ],
  [
    'an owner: anew',
    table(chain('c')),
    titled({ flags: 'owner' }, chain('c')),
    ['delete table t', 'add table t {"flags":"owner"}', 'add chain c'],
  ],
  [
    'a comment: anew',
    table(chain('c')),
    titled({ comment: 'x' }, chain('c')),
    ['delete table t', 'add table t {"comment":"x"}', 'add chain c'],
  ],
]);

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
    ['add chain b {"policy":"drop","type":"filter","hook":"input","prio":0}'],
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
    ['add chain b {"policy":"accept","type":"filter","hook":"input","prio":0}'],
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

const ingress = (dev: unknown): Ruleset => ({
  nftables: [{ table: { family: 'inet', name: 't' } }, base('b', { hook: 'ingress', dev })],
});
rows('devices of a chain', [
  ['in another order', ingress(['a', 'b']), ingress(['b', 'a']), []],
  ['one alone or in a list', ingress('a'), ingress(['a']), []],
  [
    'another one: anew',
    ingress(['a']),
    ingress(['a', 'b']),
    [
      'delete chain b',
      'add chain b {"type":"filter","hook":"ingress","prio":0,"policy":"accept","dev":["a","b"]}',
    ],
  ],
]);

const flowtable = (dev: unknown, more: object = {}): Ruleset =>
  table(thing('flowtable', { name: 'f', hook: 'ingress', prio: 0, dev, ...more }));
rows('flowtables', [
  ['a new one', table(), flowtable('a'), ['add flowtable f {"hook":"ingress","prio":0,"dev":"a"}']],
  ['one that goes', flowtable('a'), table(), ['delete flowtable f']],
  ['devices in another order', flowtable(['a', 'b']), flowtable(['b', 'a']), []],
  [
    'a device more, in place',
    flowtable(['a']),
    flowtable(['a', 'b']),
    ['add flowtable f {"hook":"ingress","prio":0,"dev":["b"]}'],
  ],
  [
    'a device less, in place',
    flowtable(['a', 'b']),
    flowtable('b'),
    ['delete flowtable f {"hook":"ingress","prio":0,"dev":["a"]}'],
  ],
  ['a priority by name', flowtable('a'), flowtable('a', { prio: 'filter' }), []],
  [
    'another priority: anew',
    flowtable('a'),
    flowtable('a', { prio: 5 }),
    ['delete flowtable f', 'add flowtable f {"hook":"ingress","prio":5,"dev":"a"}'],
  ],
  [
    'flags: anew',
    flowtable('a'),
    flowtable('a', { flags: 'counter' }),
    ['delete flowtable f', 'add flowtable f {"hook":"ingress","prio":0,"dev":"a","flags":"counter"}'],
  ],
]);

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
    'another quota: anew, and used as much',
    object('quota', { bytes: 1000, used: 7, inv: false }),
    object('quota', { bytes: 2000 }),
    ['delete quota o', 'add quota o {"bytes":2000,"used":7}'],
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
    'a timeout: anew',
    table(set('s', { flags: ['timeout'] })),
    table(set('s', { timeout: 60 })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60}'],
  ],
  [
    'a gc-interval: anew',
    table(set('s', { timeout: 60 })),
    table(set('s', { timeout: 60, 'gc-interval': 5 })),
    ['delete set s', 'add set s {"type":"inet_service","timeout":60,"gc-interval":5}'],
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

const interval = (...elem: unknown[]): Ruleset => table(set('s', { flags: ['interval'], elem }));
const hash = (...elem: unknown[]): Ruleset => table(set('s', { elem }));
const verdicts = (...elem: unknown[]): Ruleset => table(chain('c'), chain('d'), map('m', { elem }));
const range = (low: number, high: number) => ({ range: [low, high] });
const address = (...elem: unknown[]): Ruleset =>
  table(set('s', { type: 'ipv4_addr', flags: ['interval'], elem }));
rows('elements', [
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

const dynamic = (more: object): Ruleset => table(set('s', { flags: ['dynamic'], ...more }));
rows('dynamic sets', [
  ['the packets keep what they added', dynamic({ elem: [1, 2] }), dynamic({}), []],
  [
    'unless it is said that there is nothing',
    dynamic({ elem: [1] }),
    dynamic({ elem: [] }),
    ['destroy element s {"elem":[1]}'],
  ],
  [
    'a set that grows takes them along',
    dynamic({ elem: [1], size: 8 }),
    dynamic({ size: 16 }),
    ['delete set s', 'add set s {"type":"inet_service","flags":["dynamic"],"size":16,"elem":[1]}'],
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

const rules = (...list: (readonly [number, ...object[]])[]): Ruleset =>
  table(chain('c'), chain('d'), ...list.map(([handle, ...expr]) => rule('c', handle, ...expr)));
const inserted = (handle: number, ...expr: object[]) => `insert rule c ${JSON.stringify({ expr, handle })}`;
const appended = (...expr: object[]) => `add rule c ${JSON.stringify({ expr })}`;
rows('rules', [
  ['one at the end', rules([5, accept]), rules([0, accept], [0, drop]), [appended(drop)]],
  ['one at the beginning', rules([5, accept]), rules([0, drop], [0, accept]), [inserted(5, drop)]],
  [
    'two in between, in their order',
    rules([5, accept], [6, drop]),
    rules([0, accept], [0, dport(1)], [0, dport(2)], [0, drop]),
    [inserted(6, dport(1)), inserted(6, dport(2))],
  ],
  ['one goes', rules([5, accept], [6, drop]), rules([0, drop]), ['delete rule c {"handle":5}']],
  [
    'two change places, and one goes on counting',
    rules([5, { counter: { packets: 1, bytes: 2 } }], [6, accept], [7, drop]),
    rules([0, accept], [0, drop], [0, { counter: null }]),
    ['delete rule c {"handle":5}', appended({ counter: { packets: 1, bytes: 2 } })],
  ],
  [
    'one of two equal ones goes',
    rules([5, accept], [6, accept]),
    rules([0, accept]),
    ['delete rule c {"handle":6}'],
  ],
  [
    'state is not compared',
    rules([5, { counter: { packets: 9, bytes: 9 } }, { quota: { val: 5, val_unit: 'mbytes', used: 3 } }]),
    rules([0, { counter: null }, { quota: { val: 5, val_unit: 'mbytes' } }]),
    [],
  ],
  ['by number or by name', rules([5, dport(22)]), rules([0, dport('ssh')]), []],
  [
    '== and in',
    rules([5, { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['new'] } }]),
    rules([0, { match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }]),
    [],
  ],
  [
    'the order of an anonymous set',
    rules([5, dport({ set: [1, 2, 3] })]),
    rules([0, dport({ set: [3, 1, 2] })]),
    [],
  ],
  [
    'other elements of an anonymous set',
    rules([5, dport({ set: [1, 2] })]),
    rules([0, dport({ set: [1, 3] })]),
    ['delete rule c {"handle":5}', appended(dport({ set: [1, 3] }))],
  ],
  [
    'prefixes in an anonymous set',
    rules([5, saddr({ set: [{ prefix: { addr: '10.0.0.0', len: 8 } }, '11.0.0.1'] })]),
    rules([0, saddr({ set: ['11.0.0.1', { range: ['10.0.0.0', '10.255.255.255'] }] })]),
    [],
  ],
  [
    'a comment',
    rules([5, accept]),
    table(chain('c'), chain('d'), thing('rule', { chain: 'c', expr: [accept], comment: 'x' })),
    ['delete rule c {"handle":5}', 'add rule c {"expr":[{"accept":null}],"comment":"x"}'],
  ],
  [
    'one that nobody can compile is unlike any other',
    rules([5, { xt: { type: 'match', name: 'comment' } }], [6, accept]),
    rules([0, accept]),
    ['delete rule c {"handle":5}'],
  ],
  [
    'instructions that were read as bytes',
    rules([5, { opaque: { name: 'notrack', data: '' } }]),
    rules([0, { notrack: null }]),
    [],
  ],
]);

suite('rules with a key of their own', () => {
  const keyed = (...list: (readonly [number, string, ...object[]])[]): Ruleset =>
    table(
      chain('c'),
      chain('d'),
      ...list.map(([handle, comment, ...expr]) => thing('rule', { chain: 'c', handle, expr, comment })),
    );
  const key = { key: ({ comment }: { readonly comment?: string }) => comment?.split(' ')[0] };
  const placed = (verb: string, handle: number, comment: string, ...expr: object[]) =>
    `${verb} rule c ${JSON.stringify({ expr, comment, handle })}`;

  test('are replaced where they stand, and go on counting', () =>
    assert.deepEqual(
      commandsOf(
        keyed([5, 'a', { counter: { packets: 7, bytes: 8 } }, accept], [6, 'b', drop]),
        keyed([0, 'a more', dport(9), { counter: null }, accept], [0, 'b', drop]),
        key,
      ),
      [placed('replace', 5, 'a more', dport(9), { counter: { packets: 7, bytes: 8 } }, accept)],
    ));

  test('are placed before a neighbour that is replaced as long as that has its handle', () =>
    assert.deepEqual(commandsOf(keyed([5, 'a', accept]), keyed([0, 'n', drop], [0, 'a', drop]), key), [
      placed('insert', 5, 'n', drop),
      placed('replace', 5, 'a', drop),
    ]));

  test('are deleted and made again where what they name goes', () =>
    assert.deepEqual(
      commandsOf(
        keyed([5, 'a', jump('d')]),
        table(chain('c'), thing('rule', { chain: 'c', comment: 'a', expr: [drop] })),
        key,
      ),
      ['delete rule c {"handle":5}', 'delete chain d', 'add rule c {"comment":"a","expr":[{"drop":null}]}'],
    ));
});

suite('tables of others', () => {
  const other: RulesetElement[] = [
    { table: { family: 'ip', name: 'x' } },
    { chain: { family: 'ip', table: 'x', name: 'c' } },
  ];
  const current: Ruleset = { nftables: [...other, ...table(chain('c')).nftables] };

  test('stay, whatever is desired', () => assert.deepEqual(commandsOf(current, table(chain('c'))), []));
  test("go where they are said to be the caller's", () =>
    assert.deepEqual(commandsOf(current, table(chain('c')), { tables: [{ family: 'ip', name: 'x' }] }), [
      'delete table x',
    ]));
  test('are not even compiled', () => {
    const broken = {
      nftables: [...other, { rule: { family: 'ip', table: 'x', chain: 'nowhere', handle: 1 } }],
    } as Ruleset;
    assert.deepEqual(commandsOf(broken, table()), ['add table t']);
  });
});

suite('what cannot be desired', () => {
  const refused = (desired: Ruleset, path: string, reason: RegExp) =>
    assert.throws(
      () => diff(nothing, desired),
      (error) => {
        assert.ok(error instanceof CompileError);
        assert.equal(error.path, path);
        assert.match(error.reason, reason);
        return true;
      },
    );

  test('commands that say what to do', () =>
    refused({ nftables: [{ flush: { ruleset: null } }] }, 'nftables[0].flush.ruleset', /what to do/));
  test('a thing without its table', () =>
    refused({ nftables: [chain('c')] }, 'nftables[0].chain.table', /add it too/));
  test('a rule without its chain', () =>
    refused(table(rule('c', 1, accept)), 'nftables[1].rule.chain', /add it too/));
  test('elements without their set', () =>
    refused(table(thing('element', { name: 's', elem: [1] })), 'nftables[1].element.name', /add it too/));
  test('a jump to nowhere', () =>
    refused(table(chain('c'), rule('c', 1, jump('x'))), 'nftables[2].rule', /chain x/));
  test('an object that is not there', () =>
    refused(table(chain('c'), rule('c', 1, { counter: 'x' })), 'nftables[2].rule', /counter x/));
  test('an element that jumps to nowhere', () =>
    refused(table(map('m', { elem: [[1, jump('x')]] })), 'nftables[1].map.elem[0]', /chain x/));
  test('a rule that cannot be compiled', () =>
    refused(table(chain('c'), rule('c', 1, dport('nonsense'))), 'nftables[2].rule.expr[0].match.right', /./));
  test('an element that is none', () =>
    refused(table(set('s', { elem: ['nonsense'] })), 'nftables[1].set.elem[0]', /./));
  test('the same name twice', () => refused(table(chain('c'), chain('c')), 'nftables[2].chain', /twice/));
  test('a rule by index', () =>
    refused(
      table(chain('c'), thing('rule', { chain: 'c', index: 0, expr: [accept] })),
      'nftables[2].rule.index',
      /order/,
    ));
});

test('a listing without handles cannot be changed', () =>
  assert.throws(
    () => diff(table(chain('c'), thing('rule', { chain: 'c', expr: [accept] })), table(chain('c'))),
    /has a handle/,
  ));
