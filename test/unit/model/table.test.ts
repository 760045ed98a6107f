import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accept,
  cidr,
  comment,
  concat,
  counter,
  drop,
  element,
  ip,
  jump,
  ModelError,
  meta,
  range,
  table,
  tcp,
} from '../../../src/model/index.ts';
import { ProtocolLookupError } from '../../../src/protocol/index.ts';

const ref = { family: 'inet', table: 't' } as const;

test('commands come in an order in which everything exists before it is named', () => {
  const built = table('inet', 't', { comment: 'x' })
    .rule('in', tcp.dport.vmap('@ports'), comment('dispatch'))
    .map('ports', { type: 'inet_service', map: 'verdict', elements: [[22, jump('ssh')]] })
    .chain('in', { type: 'filter', hook: 'input', priority: 'filter', policy: 'drop' })
    .chain('ssh')
    .rule('ssh', counter('seen'), accept())
    .object('counter', 'seen', { packets: 1n })
    .flowtable('f', { priority: 0, devices: ['lo'] });
  assert.deepEqual(built.commands, [
    { add: { table: { family: 'inet', name: 't', comment: 'x' } } },
    { add: { counter: { ...ref, name: 'seen', packets: 1n } } },
    { add: { flowtable: { ...ref, name: 'f', hook: 'ingress', prio: 0, dev: ['lo'] } } },
    { add: { map: { ...ref, name: 'ports', type: 'inet_service', map: 'verdict' } } },
    {
      add: {
        chain: { ...ref, name: 'in', type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
      },
    },
    { add: { chain: { ...ref, name: 'ssh' } } },
    { add: { element: { ...ref, name: 'ports', elem: [[22, { jump: { target: 'ssh' } }]] } } },
    {
      add: {
        rule: {
          ...ref,
          chain: 'in',
          comment: 'dispatch',
          expr: [{ vmap: { key: { payload: { protocol: 'tcp', field: 'dport' } }, data: '@ports' } }],
        },
      },
    },
    { add: { rule: { ...ref, chain: 'ssh', expr: [{ counter: 'seen' }, { accept: null }] } } },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(table('ip', 'x'))), {
    nftables: [{ add: { table: { family: 'ip', name: 'x' } } }],
  });
});

test('a set has every property that it can have', () => {
  const [, add] = table('inet', 't').set('s', {
    type: ['ipv4_addr', 'inet_service'],
    flags: ['interval', 'timeout'],
    policy: 'memory',
    timeout: 60,
    gcInterval: 10,
    size: 100,
    autoMerge: true,
    statements: [counter()],
    comment: 'x',
  }).commands;
  assert.deepEqual(add, {
    add: {
      set: {
        ...ref,
        name: 's',
        type: ['ipv4_addr', 'inet_service'],
        policy: 'memory',
        flags: ['interval', 'timeout'],
        timeout: 60,
        'gc-interval': 10,
        size: 100,
        comment: 'x',
        'auto-merge': true,
        stmt: [{ counter: null }],
      },
    },
  });
});

test('a set can have the type of an expression', () => {
  const [, add] = table('inet', 't').set('s', { type: { typeof: concat(ip.saddr, meta.mark) } }).commands;
  assert.deepEqual(add, {
    add: {
      set: {
        ...ref,
        name: 's',
        type: {
          typeof: { concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, { meta: { key: 'mark' } }] },
        },
      },
    },
  });
});

test('elements are written as nft has them', () => {
  const built = table('inet', 't')
    .set('nets', { type: ['ipv4_addr', 'inet_service'], flags: ['interval'] })
    .map('nat', { type: 'inet_service', map: ['ipv4_addr', 'inet_service'] });
  assert.deepEqual(
    built.element('nets', [
      ['192.0.2.1', 22],
      [cidr('10.0.0.0/8'), range(1, 1023)],
      element(['192.0.2.2', 22], { comment: 'x', timeout: 5 }),
      '*',
    ]),
    {
      ...ref,
      name: 'nets',
      elem: [
        { concat: ['192.0.2.1', 22] },
        { concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [1, 1023] }] },
        { elem: { val: { concat: ['192.0.2.2', 22] }, comment: 'x', timeout: 5 } },
        '*',
      ],
    },
  );
  assert.deepEqual(built.element('nat', [[80, ['192.0.2.1', 8080]]]).elem, [
    [80, { concat: ['192.0.2.1', 8080] }],
  ]);
});

test('a listing does not change when the table goes on', () => {
  const built = table('inet', 't').chain('c');
  const before = built.commands;
  built.rule('c', drop());
  assert.equal(before.length, 2);
  assert.equal(built.commands.length, 3);
  assert.ok(Object.isFrozen(before) && before.every(Object.isFrozen));
});

const refused: Record<string, [attempt: () => unknown, message: RegExp]> = {
  'a table without a name': [() => table('ip', ''), /a table needs a name/],
  'two chains of one name': [() => table('ip', 't').chain('c').chain('c'), /table t has two chains named c/],
  'a map named as a set': [
    () => table('ip', 't').set('s', { type: 'mark' }).map('s', { type: 'mark', map: 'mark' }),
    /table t has two sets named s/,
  ],
  'a set without a key': [() => table('ip', 't').set('s', { type: [] }), /set s has no key type/],
  'a priority that its family does not have': [
    () => table('bridge', 't').chain('c', { type: 'filter', hook: 'input', priority: 'raw' }),
    /"raw".*expected one of an integer, filter/,
  ],
  'a base chain without a hook': [
    () => table('ip', 't').chain('c', { type: 'filter', priority: 0 } as never),
    /base chain c has no hook/,
  ],
  'a regular chain with a policy': [
    () => table('ip', 't').chain('c', { policy: 'drop' } as never),
    /base chain c has no type, no hook, no priority/,
  ],
  'a rule without statements': [
    () => table('ip', 't').rule('c', comment('x')),
    /rule of chain c has no statement/,
  ],
  'a rule with two comments': [
    () => table('ip', 't').rule('c', comment('x'), accept(), comment('y')),
    /rule of chain c has more than one comment/,
  ],
  'an element of an unknown set': [
    () => table('ip', 't').element('s' as never, ['x' as never]),
    /table t has no set or map "s"/,
  ],
  'an element with too few fields': [
    () => table('ip', 't').set('s', { type: ['mark', 'mark'], elements: [[1, 2], [1] as never] }),
    /element 1 of s has 1 of the 2 fields of its key/,
  ],
  'a field for a set without fields': [
    () => table('ip', 't').set('s', { type: 'mark', elements: [[1, 2] as never] }),
    /element 0 of s has 2 of the 1 fields of its key/,
  ],
  'a map element without a value': [
    () => table('ip', 't').map('m', { type: 'mark', map: 'mark', elements: [[1] as never] }),
    /element 0 of m is no pair of key and value/,
  ],
};

for (const [what, [attempt, message]] of Object.entries(refused)) {
  test(`${what} is refused`, () => {
    assert.throws(attempt, (error) => {
      const isOurs = error instanceof ModelError || error instanceof ProtocolLookupError;
      return isOurs && message.test(error.message);
    });
  });
}
