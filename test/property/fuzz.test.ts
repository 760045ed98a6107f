import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { compileLine } from '../../src/format/compile-line.ts';
import { CompileError } from '../../src/linearize/index.ts';
import {
  type Commands,
  compileCommands,
  compileTransaction,
  emptyView,
  encodeMessages,
  inDependencyOrder,
  needsOf,
  parseCommands,
} from '../../src/transaction/index.ts';
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

/** Nests into itself, at each turn twice: nothing that walks all of it comes to an end. */
const endless: { '|': unknown[] } = { '|': [] };
endless['|'].push(endless, endless);
const endlessElement = { elem: { val: {} } };
endlessElement.elem.val = endlessElement;
const deep = Array.from({ length: 20_000 }).reduce((inner) => ({ '&': [inner, 1] }), 1 as unknown);

const unprintable = {
  toString: () => {
    throw new Error('no text');
  },
};

/** What JSON cannot say and a caller's data may hold all the same. */
const exotic: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  ...[Symbol('s'), () => 1, new Date(0), new Map(), /x/, new Uint8Array(3), Object(5n), Object('x')],
  ...[Object.create(null), Object.assign(Object.create(null), { set: [1] }), [[Object.create(null)]]],
  ...[new Array(3), [1, ...new Array(1), 2], { set: new Array(2) }, { concat: ['1.2.3.4', ...new Array(1)] }],
  ...[{ range: new Array(2) }, { set: { length: 2 } }, new Proxy([], {}), new Proxy({}, {})],
  ...[endless, endlessElement, deep, unprintable, { prefix: { addr: '10.0.0.0', len: -0 } }],
  ...[-0, 1e308, -1n, 2n ** 70n, { elem: { val: '1.2.3.4', timeout: 1e308, expires: 1e300 } }],
  ...['x'.repeat(100_000), '1'.repeat(100_000), '@'.repeat(100_000), 'a\0b', '\ud800'],
);

/** Longer than this no error is, whatever it quotes. */
const longest = 2000;

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

/** All that is done with a transaction until the addon gets it. */
function encodeAll(commands: unknown): void {
  needsOf(inDependencyOrder(parseCommands(commands as Commands)), true);
  encodeMessages(compileTransaction(commands as Commands, emptyView), {});
}

/** Compiles in time, or refuses with an error that names the place. */
function survives(compile: () => unknown): void {
  const start = performance.now();
  try {
    compile();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    assert.notEqual(error.reason, '');
    assert.ok(error.message.length < longest, 'too long an error');
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

  test('valid rules with a part replaced by what is no JSON', () => {
    fc.assert(
      fc.property(ruleCase, path, exotic, (rule, choices, by) => {
        const { packet, expr } = rule;
        survives(() => encodeAll(replaced(commandsOf(rule, 0), choices, by)));
        const line = {
          family: packet.family,
          table: 't',
          chain: 'c',
          sets: [{ name: 's', type: 'mark' }],
          expr,
        };
        survives(() => compileLine(replaced(line, choices, by) as never));
      }),
      run,
    );
  });

  test('valid objects with a part replaced by what is no JSON', () => {
    const verb = fc.constantFrom('add', 'create', 'delete', 'destroy', 'flush', 'rename');
    fc.assert(
      fc.property(verb, fc.constantFrom(...objects), path, exotic, (name, object, choices, by) => {
        survives(() => encodeAll([{ [name]: replaced(object, choices, by) }]));
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
