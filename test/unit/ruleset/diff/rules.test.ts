import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Ruleset } from '../../../../src/index.ts';
import { accept, chain, commandsOf, dport, drop, jump, rows, rule, saddr, table, thing } from '../pairs.ts';

const rules = (...list: (readonly [number, ...object[]])[]): Ruleset =>
  table(chain('c'), chain('d'), ...list.map(([handle, ...expr]) => rule('c', handle, ...expr)));
const inserted = (handle: number, ...expr: object[]) => `insert rule c ${JSON.stringify({ expr, handle })}`;
const appended = (...expr: object[]) => `add rule c ${JSON.stringify({ expr })}`;
const raw = (base: string, offset: number, len: number, right: number) => ({
  match: { op: '==', left: { payload: { base, offset, len } }, right },
});
const tcpWindow = { payload: { protocol: 'tcp', field: 'window' } };
const tcp = (field: string, right: number) => ({
  match: { op: '==', left: { payload: { protocol: 'tcp', field } }, right },
});
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
    'an element that is said twice',
    rules([5, dport({ set: [1, 2] })]),
    rules([0, dport({ set: [1, 2, 'tcpmux'] })]),
    [],
  ],
  [
    'the order of comparisons side by side',
    rules([5, dport(1), saddr('10.0.0.1'), accept]),
    rules([0, saddr('10.0.0.1'), dport(1), accept]),
    [],
  ],
  [
    'what stands between comparisons keeps them apart',
    rules([5, dport(1), { counter: null }, saddr('10.0.0.1')]),
    rules([0, saddr('10.0.0.1'), { counter: null }, dport(1)]),
    ['delete rule c {"handle":5}', appended(saddr('10.0.0.1'), { counter: null }, dport(1))],
  ],
  [
    'a field under a mask, or bytes without a name',
    rules([5, tcp('flags', 125), { match: { op: '==', left: { '&': [tcpWindow, 0xff00] }, right: 0xa000 } }]),
    rules([
      0,
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } },
      raw('th', 104, 16, 32160),
    ]),
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
