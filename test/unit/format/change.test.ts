import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Change, formatChange } from '../../../src/index.ts';

const place = { family: 'inet', table: 't' } as const;
const rule = { ...place, chain: 'c', handle: 7, expr: [{ accept: null }], comment: 'x' } as const;

const rows: readonly (readonly [Change, string])[] = [
  [{ action: 'add', object: { table: { family: 'inet', name: 't', handle: 1 } } }, 'add table inet t'],
  [
    { action: 'add', object: { table: { family: 'inet', name: 't', flags: 'dormant' } } },
    'add table inet t { flags dormant; }',
  ],
  [{ action: 'add', object: { chain: { ...place, name: 'c', handle: 2 } } }, 'add chain inet t c'],
  [
    {
      action: 'add',
      object: { chain: { ...place, name: 'b', type: 'filter', hook: 'input', prio: 0, policy: 'drop' } },
    },
    'add chain inet t b { type filter hook input priority filter; policy drop; }',
  ],
  [{ action: 'rename', object: { chain: { ...place, name: 'c', newname: 'd' } } }, 'rename chain inet t c d'],
  [{ action: 'delete', object: { chain: { ...place, name: 'c', handle: 2 } } }, 'delete chain inet t c'],
  [{ action: 'add', object: { rule } }, 'add rule inet t c accept comment "x"'],
  [{ action: 'add', object: { rule }, after: 5 }, 'add rule inet t c handle 5 accept comment "x"'],
  [{ action: 'insert', object: { rule } }, 'insert rule inet t c accept comment "x"'],
  [{ action: 'replace', object: { rule } }, 'replace rule inet t c handle 7 accept comment "x"'],
  [
    { action: 'delete', object: { rule: { ...place, chain: 'c', handle: 7 } } as never },
    'delete rule inet t c handle 7',
  ],
  [
    { action: 'add', object: { set: { ...place, name: 's', type: 'ipv4_addr', flags: ['interval'] } } },
    'add set inet t s { type ipv4_addr; flags interval; }',
  ],
  [
    { action: 'add', object: { element: { ...place, name: 's', elem: ['192.0.2.1', '192.0.2.2'] } } },
    'add element inet t s { 192.0.2.1, 192.0.2.2 }',
  ],
  [
    { action: 'delete', object: { element: { ...place, name: 'm', elem: [[22, { drop: null }]] } } },
    'delete element inet t m { 22 : drop }',
  ],
  [
    { action: 'add', object: { quota: { ...place, name: 'q', bytes: 5 } } },
    'add quota inet t q { 5 bytes; }',
  ],
  [
    { action: 'delete', object: { 'ct helper': { ...place, name: 'h' } } as never },
    'delete ct helper inet t h',
  ],
];

suite('changes', () => {
  for (const [change, text] of rows) test(text, () => assert.equal(formatChange(change), text));

  test('what nft cannot say is a comment', () => {
    const opaque = { ...rule, expr: [{ opaque: { name: 'new', data: '' } }] } as never;
    assert.match(
      formatChange({ action: 'add', object: { rule: opaque } }),
      /^# not in nft syntax: .*"opaque"/,
    );
  });
});
