import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { compileLine } from '../../src/format/compile-line.ts';
import { CompileError } from '../../src/linearize/index.ts';
import { compileCommands } from '../../src/transaction/index.ts';
import { seed } from '../support/seed.ts';
import { commandsOf } from './agreement.ts';
import { ruleCase } from './arbitrary/rule.ts';

const cases = Number(process.env.NFTJS_CASES ?? 3000);
const slow = 1000;

/** Words that mean something somewhere, so that random JSON gets past the first look. */
const words = fc.constantFrom(
  ...['match', 'left', 'right', 'op', '==', 'in', 'payload', 'protocol', 'field', 'meta', 'key', 'ct', 'dir'],
  ...[
    'set',
    'map',
    'vmap',
    'data',
    'elem',
    'val',
    'concat',
    'prefix',
    'addr',
    'len',
    'range',
    '&',
    '|',
    '<<',
  ],
  ...[
    'tcp',
    'ip',
    'ip6',
    'ether',
    'saddr',
    'dport',
    'mark',
    'state',
    'accept',
    'drop',
    'jump',
    'target',
    '@s',
    '*',
  ],
  ...[
    'mangle',
    'value',
    'dnat',
    'port',
    'limit',
    'rate',
    'per',
    'log',
    'queue',
    'num',
    'numgen',
    'mod',
    'offset',
  ],
  ...[
    'exthdr',
    'tcp option',
    'jhash',
    'expr',
    'base',
    'th',
    'reject',
    'type',
    'flags',
    'fib',
    'result',
    'name',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', '\0', '1.2.3.4', '::', 'ffff:'],
);

const leaf = fc.oneof(
  words,
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, -1, 2 ** 32, 2 ** 53, NaN, Infinity),
);

/** Any JSON, made of words that nft knows more often than not. */
const json = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'medium' },
    leaf,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(words, tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any;

const table = { family: 'inet', table: 't' };

/** One object of each kind, with all its keys. */
const objects: readonly unknown[] = [
  { table: { family: 'inet', name: 't', flags: ['dormant'], comment: 'c' } },
  { chain: { ...table, name: 'c', type: 'filter', hook: 'input', prio: 0, policy: 'accept', newname: 'd' } },
  {
    chain: {
      ...table,
      family: 'netdev',
      name: 'c',
      type: 'filter',
      hook: 'ingress',
      prio: 'filter',
      dev: 'lo',
    },
  },
  { rule: { ...table, chain: 'c', expr: [{ accept: null }], comment: 'c', handle: 1, index: 0 } },
  {
    set: {
      ...table,
      name: 's',
      type: 'ipv4_addr',
      flags: ['interval', 'timeout'],
      elem: ['10.0.0.1', { elem: { val: { range: ['10.0.0.3', '10.0.0.9'] }, timeout: 5, comment: 'c' } }],
      timeout: 5,
      'gc-interval': 3,
      size: 5,
      policy: 'memory',
      'auto-merge': true,
      stmt: [{ counter: null }, { limit: { rate: 5, rate_unit: 'kbytes', per: 'day', burst: 1 } }],
    },
  },
  { set: { ...table, name: 's', type: { typeof: { meta: { key: 'mark' } } }, elem: [1, 2] } },
  {
    map: {
      ...table,
      name: 'm',
      type: ['mark', 'ipv4_addr'],
      map: 'verdict',
      elem: [[{ concat: [1, '::1'] }, { drop: null }]],
    },
  },
  {
    map: {
      ...table,
      name: 'm',
      type: 'mark',
      map: ['ipv4_addr', 'inet_service'],
      elem: [[1, { concat: ['10.0.0.1', 5] }]],
    },
  },
  { flowtable: { ...table, name: 'f', hook: 'ingress', prio: 0, dev: ['lo'], flags: 'offload' } },
  { counter: { ...table, name: 'o', packets: 1, bytes: 2, comment: 'c' } },
  { quota: { ...table, name: 'o', bytes: 5, used: 0, inv: true } },
  {
    limit: { ...table, name: 'o', rate: 5, per: 'second', burst: 5, rate_unit: 'bytes', burst_unit: 'bytes' },
  },
  { 'ct helper': { ...table, name: 'o', type: 'ftp', protocol: 'tcp', l3proto: 'ip' } },
  { 'ct timeout': { ...table, name: 'o', protocol: 'tcp', l3proto: 'ip', policy: { established: 5 } } },
  {
    'ct expectation': { ...table, name: 'o', protocol: 'tcp', dport: 5, timeout: 5, size: 5, l3proto: 'ip' },
  },
  { secmark: { ...table, name: 'o', context: 'c' } },
  { synproxy: { ...table, name: 'o', mss: 1, wscale: 2, flags: ['timestamp'] } },
];

/** The value with the part that `choices` lead to replaced. */
function replaced(value: unknown, choices: readonly number[], by: unknown): unknown {
  const [choice, ...rest] = choices;
  if (typeof value !== 'object' || value === null || choice === undefined) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[choice % keys.length] as string;
  const part = replaced((value as Record<string, unknown>)[key], rest, by);
  return Array.isArray(value) ? value.with(Number(key), part) : { ...value, [key]: part };
}

/** Compiles in time, or refuses with an error that names the place. */
function survives(compile: () => unknown): void {
  const start = performance.now();
  try {
    compile();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    assert.notEqual(error.reason, '');
  }
  assert.ok(performance.now() - start < slow, 'too slow');
}

const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 8 });
const run = { numRuns: cases, seed, interruptAfterTimeLimit: 30_000, includeErrorInReport: true } as const;

suite(`invalid input gives errors, nothing else (NFTJS_SEED=${seed})`, () => {
  test('rules of random JSON', () => {
    const family = fc.constantFrom('ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev');
    fc.assert(
      fc.property(family, json, fc.option(json, { nil: undefined }), (name, expr, sets) => {
        const line = {
          family: name,
          table: 't',
          chain: 'c',
          expr,
          ...(sets !== undefined && { sets: [sets] }),
        };
        survives(() => compileLine(line as never));
      }),
      run,
    );
  });

  test('transactions of random JSON', () => {
    fc.assert(
      fc.property(json, (commands) => survives(() => compileCommands(commands as never))),
      run,
    );
  });

  test('valid rules with a part replaced', () => {
    fc.assert(
      fc.property(ruleCase, path, json, (rule, choices, by) => {
        survives(() => compileCommands(replaced(commandsOf(rule, 0), choices, by) as never));
      }),
      run,
    );
  });

  test('valid objects with a part replaced', () => {
    const verb = fc.constantFrom('add', 'create', 'delete', 'destroy', 'flush', 'rename');
    fc.assert(
      fc.property(verb, fc.constantFrom(...objects), path, json, (name, object, choices, by) => {
        survives(() => compileCommands([{ [name]: replaced(object, choices, by) }] as never));
      }),
      run,
    );
  });

  test('valid rules with a part of another', () => {
    fc.assert(
      fc.property(ruleCase, ruleCase, path, (rule, other, choices) => {
        const [statement] = other.expr;
        const part = Object.values(statement as object)[0] as { left?: unknown; key?: unknown } | null;
        survives(() =>
          compileCommands(
            replaced(commandsOf(rule, 0), choices, part?.left ?? part?.key ?? statement) as never,
          ),
        );
      }),
      run,
    );
  });
});
