import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expressionShapes, statementShapes } from '../../../src/linearize/shape.ts';
import { families } from '../../../src/protocol/index.ts';
import { bytecode, refusal } from './compile.ts';
import '../../support/seed.ts';

const RUNS = 4000;

const words = [
  ...Object.keys(expressionShapes),
  ...Object.keys(statementShapes),
  ...[expressionShapes, statementShapes].flatMap((shapes) =>
    Object.values(shapes).flatMap((shape) => Object.keys(shape)),
  ),
  'concat',
  'set',
  'range',
  '&',
  '|',
  '<<',
  'accept',
  'jump',
  '__proto__',
];

const scalar = fc.oneof(
  fc.constantFrom(
    'tcp',
    'ip',
    'dport',
    'saddr',
    'mark',
    'iifname',
    '@s',
    '@',
    '*',
    'eth*',
    '1.2.3.4',
    '::1',
    '',
  ),
  fc.constantFrom(
    0,
    1,
    -1,
    1.5,
    22,
    65536,
    2 ** 53,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    5n,
    -5n,
    1n << 200n,
  ),
  fc.constantFrom(true, false, null, undefined),
  fc.string({ maxLength: 8 }),
);

/** Any JSON, made of the words that the compiler knows. */
const anything = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words), tie('node'), { maxKeys: 3 }),
  ),
})).node;

/** Rules that compile, to be damaged. */
const sound: readonly unknown[] = [
  {
    match: {
      op: '==',
      left: { payload: { protocol: 'tcp', field: 'dport' } },
      right: { set: [22, { range: [80, 90] }] },
    },
  },
  { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['new', 'established'] } },
  {
    match: {
      op: '!=',
      left: { concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, { meta: { key: 'mark' } }] },
      right: { set: [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, 5] }] },
    },
  },
  {
    vmap: {
      key: { meta: { key: 'iifname' } },
      data: {
        set: [
          ['lo', { jump: { target: 'x' } }],
          ['eth*', { drop: null }],
        ],
      },
    },
  },
  { mangle: { key: { payload: { protocol: 'ip', field: 'dscp' } }, value: 'cs1' } },
  { mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ '<<': [{ ct: { key: 'mark' } }, 4] }, 1] } } },
  {
    dnat: {
      family: 'ip',
      addr: {
        map: {
          key: { numgen: { mode: 'inc', mod: 2 } },
          data: {
            set: [
              [0, '1.1.1.1'],
              [1, '2.2.2.2'],
            ],
          },
        },
      },
    },
  },
  {
    set: {
      op: 'update',
      elem: { elem: { val: { payload: { protocol: 'ip', field: 'saddr' } }, timeout: 3 } },
      set: '@s',
      stmt: [{ counter: null }],
    },
  },
  {
    meter: {
      name: 'm',
      key: { payload: { protocol: 'ip', field: 'saddr' } },
      stmt: { limit: { rate: 1, per: 'second' } },
    },
  },
  { match: { op: '==', left: { fib: { result: 'type', flags: ['daddr', 'iif'] } }, right: 'local' } },
  { match: { op: '==', left: { exthdr: { name: 'frag', field: 'frag-off' } }, right: 3 } },
  { queue: { num: { jhash: { mod: 4, expr: { meta: { key: 'oif' } }, seed: 1 } }, flags: ['bypass'] } },
  { log: { prefix: 'x', group: 1 } },
  { reject: { type: 'icmpx', expr: 'no-route' } },
];

/** The node with one of its parts, chosen by `at`, replaced by `by` or left out. */
function damage(node: unknown, at: readonly number[], by: unknown): unknown {
  const [first, ...rest] = at;
  if (first === undefined || typeof node !== 'object' || node === null) return by;
  const entries = Object.entries(node);
  const chosen = entries[first % Math.max(entries.length, 1)];
  if (chosen === undefined) return by;
  const [key, value] = chosen;
  const part = damage(value, rest, by);
  if (Array.isArray(node)) return node.map((item, i) => (String(i) === key ? part : item));
  const others = entries.filter(([name]) => name !== key);
  return Object.fromEntries(part === undefined ? others : [...others, [key, part]]);
}

const family = fc.constantFrom(...(Object.keys(families) as (keyof typeof families)[]));
const sets = [{ name: 's', type: 'ipv4_addr' }] as const;

test('the rules to be damaged are sound', () => {
  for (const statement of sound) assert.ok(bytecode([statement], { sets }).length > 0);
});

test('whatever the input, only a CompileError refuses it', () => {
  fc.assert(
    fc.property(family, fc.array(anything, { maxLength: 3 }), (name, expr) => {
      const refused = refusal(expr, { family: name, sets });
      assert.ok(refused === undefined || refused.reason !== '');
    }),
    { numRuns: RUNS },
  );
});

test('a damaged rule compiles or is refused with its place', () => {
  const path = fc.array(fc.nat(9), { maxLength: 8 });
  fc.assert(
    fc.property(
      family,
      fc.constantFrom(...sound),
      path,
      fc.oneof(scalar, anything),
      (name, statement, at, by) => {
        const refused = refusal([damage(statement, at, by)], { family: name, sets });
        assert.ok(refused === undefined || refused.path.startsWith('expr'), JSON.stringify(refused));
      },
    ),
    { numRuns: RUNS },
  );
});
