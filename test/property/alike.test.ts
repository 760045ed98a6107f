import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { datatype, isPackable } from '../../src/datatype/index.ts';
import { CompileError } from '../../src/linearize/index.ts';
import { encodedRule } from '../../src/message/index.ts';
import type { Statement } from '../../src/model/index.ts';
import { type Header, headers } from '../../src/protocol/index.ts';
import {
  compileParsed,
  emptyView,
  encodeMessages,
  type OutgoingMessage,
  parseCommands,
} from '../../src/transaction/index.ts';
import { requires } from '../support/requirements.ts';
import { seed } from '../support/seed.ts';
import { readVectors } from '../unit/delinearize/vector.ts';
import { commandsOf } from './agreement.ts';
import { ruleCase } from './arbitrary/rule.ts';

process.env.TZ = 'UTC-2';

/** What may stand on the right of a match: usual, unusual, wrong, and what is more than a single value. */
const RIGHTS: readonly unknown[] = [
  ...['10.0.0.1', '0.0.0.0', '255.255.255.255', '10.0.0.256', '010.0.0.1', '10.1', '10.0.0.0/8', ''],
  ...['::', '2001:db8::1', '::ffff:10.0.0.1', 'fe80::1%lo', '02:00:00:00:00:01', '2:0:0:0:0:1', '02:00'],
  ...[
    'eth0',
    'eth*',
    'eth\\*',
    '*',
    '@s',
    '@none',
    'a-name-of-15-by',
    'a-name-of-16-byt',
    'ä',
    '.',
    'a/b',
    'a b',
  ],
  ...['ssh', 'https', '22', '0x16', '026', '65535', '65536', 'no such name', 'true', 'established', 'tcp'],
  ...[
    0,
    1,
    22,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    -1,
    1.5,
    Number.NaN,
    22n,
    1n << 127n,
    true,
    false,
    null,
  ],
  ...[['10.0.0.1'], ['new', 'established'], [], undefined],
  { prefix: { addr: '10.0.0.0', len: 8 } },
  { prefix: { addr: '10.0.0.0', len: 9 } },
  { prefix: { addr: '2001:db8::', len: 33 } },
  { range: [22, 23] },
  { range: ['10.0.0.1', '10.0.0.9'] },
  { set: ['10.0.0.1'] },
  { set: [22] },
  { set: [22, 80] },
  { set: ['eth0', 'eth*'] },
  { '|': [1, 2] },
];

interface Outcome {
  readonly program?: string;
  readonly error?: string;
  /** Rules that were made of one before them. */
  readonly alike: number;
}

function outcome(commands: readonly object[], mayBeEncoded: boolean): Outcome {
  let alike = 0;
  function* counted(messages: Iterable<OutgoingMessage>) {
    for (const message of messages) {
      if (message.kind === 'message' && message.schema === encodedRule) alike++;
      yield message;
    }
  }
  try {
    const messages = compileParsed(parseCommands(commands as never), emptyView, mayBeEncoded);
    const program = encodeMessages(counted(messages), { echo: true }).bytes();
    return { program: Buffer.from(program).toString('hex'), alike };
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return { error: error.message, alike };
  }
}

/**
 * Rules behind one another come to the same bytes, or the same error, whether each is compiled or not.
 *
 * @returns how many of them were made of one before
 */
function agree(before: readonly object[], rules: readonly (readonly unknown[])[], at: object): number {
  const commands = [...before, ...rules.map((expr) => ({ add: { rule: { ...at, chain: 'c', expr } } }))];
  const { alike, ...given } = outcome(commands, true);
  const { alike: none, ...expected } = outcome(commands, false);
  assert.equal(none, 0);
  assert.deepEqual(
    given,
    expected,
    JSON.stringify(rules, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  );
  return alike;
}

/** The rule with another right side in each of its matches, one at a time. */
function variants(expr: readonly Statement[], rights: readonly unknown[]): unknown[][] {
  return expr.flatMap((statement, i) => {
    if (typeof statement !== 'object' || !('match' in statement)) return [];
    const { match } = statement;
    return rights.map((right) => expr.with(i, { match: { ...match, right } } as never));
  });
}

/** A rule in front of each of its variants, and in front of all that are valid. */
function agreeOnVariants(
  before: readonly object[],
  expr: readonly Statement[],
  at: object,
  rights: readonly unknown[],
): number {
  const rule = (statements: readonly unknown[]) => ({
    add: { rule: { ...at, chain: 'c', expr: statements } },
  });
  if (outcome([...before, rule(expr)], false).error !== undefined) return 0;
  const valid: unknown[][] = [];
  let alike = 0;
  for (const variant of variants(expr, rights)) {
    if (outcome([...before, rule(variant)], false).error === undefined) valid.push(variant);
    else alike += agree(before, [expr, variant], at);
  }
  alike += agree(before, [expr, ...valid], at);
  // The last one is the example of the others.
  return alike + agree(before, [...valid].reverse().concat([[...expr]]), at);
}

const TABLE = { family: 'inet', table: 't' } as const;
const BEFORE = [
  { add: { table: { family: 'inet', name: 't' } } },
  { add: { chain: { ...TABLE, name: 'c', type: 'filter', hook: 'prerouting', prio: 0 } } },
  { add: { set: { ...TABLE, name: 's', type: 'ipv4_addr', flags: 'interval' } } },
];

const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } }) as Statement;
const accept: Statement = { accept: null };

/** Shapes in which the value, or what stands beside it, decides what a rule comes to. */
const shapes: Readonly<Record<string, readonly Statement[]>> = {
  'names of interfaces': [match({ meta: { key: 'iifname' } }, 'eth0'), accept],
  negation: [
    match({ meta: { key: 'oifname' } }, 'eth0', '!='),
    match(field('ip', 'saddr'), '10.0.0.1', '!='),
  ],
  'neighbours that are merged': [
    match(field('ip', 'saddr'), '10.0.0.1'),
    match(field('tcp', 'sport'), 1),
    match(field('ip', 'daddr'), '10.0.0.2'),
    match(field('tcp', 'dport'), 'ssh'),
  ],
  'neighbours, and what says the protocol': [
    match(field('ether', 'saddr'), '02:00:00:00:00:01'),
    match(field('ether', 'type'), 'ip'),
    match(field('ip', 'protocol'), 'udp'),
    match(field('ip', 'saddr'), '10.0.0.1'),
  ],
  'neighbours that are kept apart': [
    match(field('tcp', 'sport'), 1),
    { counter: null } as Statement,
    match(field('tcp', 'dport'), 2),
  ],
  sizes: [match(field('ip', 'saddr'), '10.0.0.1', '>='), match(field('tcp', 'dport'), 1024, '<')],
  'a calculated left side': [
    match({ '&': [field('ip', 'saddr'), '255.255.0.0'] }, '10.0.0.0'),
    match({ '>>': [field('ip', 'daddr'), 8] }, 5),
  ],
  'what narrower fields hold': [match(field('ip', 'dscp'), 'cs1'), match(field('ip', 'hdrlength'), 5)],
  'what is learnt from': [match({ meta: { key: 'l4proto' } }, 'tcp'), match(field('th', 'dport'), 22)],
  flags: [match({ ct: { key: 'state' } }, 'new', 'in'), match(field('tcp', 'dport'), 22, 'in')],
  'addresses of connections': [
    match({ meta: { key: 'nfproto' } }, 'ipv4'),
    match({ ct: { key: 'saddr', dir: 'original', family: 'ip' } }, '10.0.0.1'),
    match({ ct: { key: 'proto-dst', dir: 'reply' } }, 22),
  ],
  'inside of a tunnel': [
    match(field('udp', 'dport'), 4789),
    match({ payload: { tunnel: 'vxlan', protocol: 'ip', field: 'saddr' } }, '10.0.0.1'),
  ],
  'raw bytes': [match({ payload: { base: 'th', offset: 16, len: 16 } }, 22)],
  routes: [
    match({ rt: { key: 'nexthop', family: 'ip6' } }, '2001:db8::1'),
    match({ fib: { result: 'oifname', flags: ['saddr', 'iif'] } }, 'eth0'),
  ],
  'sets of their own': [
    match(field('tcp', 'dport'), { set: [22, 80] }),
    match(field('ip', 'saddr'), '10.0.0.1'),
  ],
};

/** Of the vectors each is tried with so many of the right sides less. */
const EACH = 5;

/** Each of these is compiled. */
const CALCULATED: ReadonlySet<string> = new Set(['a calculated left side', 'what narrower fields hold']);

suite(`rules that are like one before (NFTJS_SEED=${seed})`, () => {
  for (const [what, expr] of Object.entries(shapes)) {
    test(what, () => {
      assert.equal(
        outcome([...BEFORE, { add: { rule: { ...TABLE, chain: 'c', expr } } }], false).error,
        undefined,
      );
      const alike = agreeOnVariants(BEFORE, expr, TABLE, RIGHTS);
      assert.equal(alike > 0, !CALCULATED.has(what), `${alike} were made of one before`);
    });
  }

  test('no protocol follows from a value that is written into a rule', () => {
    let keys = 0;
    for (const { name, key = '', fields } of Object.values<Header>(headers)) {
      const field = fields[key];
      if (field === undefined) continue;
      keys++;
      assert.ok(!isPackable(datatype(field.type)), `${name} ${key}`);
    }
    assert.ok(keys > 5);
  });

  test('all that the vectors have', requires('vectors'), () => {
    let alike = 0;
    for (const [i, { family, table, sets, expr }] of readVectors().entries()) {
      const at = { family, table };
      const before = [
        { add: { table: { family, name: table } } },
        { add: { chain: { ...at, name: 'c' } } },
        ...sets.map((set) => ({ add: { ['map' in set ? 'map' : 'set']: { ...at, ...set } } })),
      ];
      alike += agreeOnVariants(
        before,
        expr,
        at,
        RIGHTS.filter((_, n) => (n + i) % EACH === 0),
      );
    }
    assert.ok(alike > 2000, `${alike} were made of one before`);
  });

  test('random rules, some parts of them replaced', () => {
    let alike = 0;
    fc.assert(
      fc.property(
        ruleCase,
        fc.array(fc.constantFrom(...RIGHTS), { minLength: 1, maxLength: 5 }),
        (rule, rights) => {
          const before = commandsOf(rule, 0).slice(0, -1);
          alike += agreeOnVariants(before, rule.expr, { family: rule.packet.family, table: 't0' }, rights);
        },
      ),
      { numRuns: 1000, seed },
    );
    assert.ok(alike > 50, `${alike} were made of one before`);
  });
});
