import fc from 'fast-check';
import type { Expression, Ruleset, RulesetElement } from '../../src/index.ts';

/**
 * Random rulesets of a few tables. Names come from small pools, so that two rulesets share many of them, with
 * the same or with other things behind. All can be committed: nothing overlaps, nothing jumps in a circle.
 */

type Node = Readonly<Record<string, unknown>>;

const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const comment = some(fc.constantFrom('one', 'two words'));
const defined = (node: Node): Node =>
  Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));
const record = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Node> =>
  fc.record(model).map(defined);
const subset = <T>(values: readonly T[]) => fc.subarray([...values]);

/** A definition for some of the names. */
function named(names: readonly string[], node: fc.Arbitrary<Node>): fc.Arbitrary<Record<string, Node>> {
  return subset(names).chain((present) =>
    fc.record(Object.fromEntries(present.map((name) => [name, node.map((rest) => ({ name, ...rest }))]))),
  );
}

const port = fc.integer({ min: 1, max: 30 });
const address = fc.integer({ min: 1, max: 20 }).map((last) => `192.0.2.${last}`);

/** Intervals in slots of ten: apart from each other, or next to each other. */
const intervals = (value: (n: number) => Expression): fc.Arbitrary<Expression[]> =>
  subset([1, 2, 3, 4, 5, 6]).chain((slots) =>
    fc.tuple(
      ...slots.map((slot) =>
        fc
          .constantFrom(0, 4, 9)
          .map(
            (length): Expression =>
              length === 0 ? value(slot * 10) : { range: [value(slot * 10), value(slot * 10 + length)] },
          ),
      ),
    ),
  );

const distinct = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(value, { maxLength: 6, selector: (one) => JSON.stringify(one) });

const prefix = fc.constantFrom(8, 16, 24).map((len) => ({ prefix: { addr: `${len}.0.0.0`, len } }));

/** The kinds of set: what they hold, and what looks into them. */
const sets: readonly fc.Arbitrary<Node>[] = [
  record({
    type: fc.constant('inet_service'),
    size: some(fc.constantFrom(64, 128)),
    comment,
    elem: distinct(port),
  }),
  record({ type: fc.constant('inet_service'), flags: fc.constant(['constant']), elem: distinct(port) }),
  record({
    type: fc.constant('inet_service'),
    flags: fc.constant(['interval']),
    'auto-merge': some(fc.constant(true)),
    size: some(fc.constantFrom(16, 32)),
    elem: intervals((n) => n),
  }),
  record({
    type: fc.constant('ipv4_addr'),
    flags: fc.constant(['interval']),
    policy: some(fc.constantFrom('memory', 'performance')),
    elem: distinct(prefix),
  }),
  record({
    type: fc.constant(['ipv4_addr', 'inet_service']),
    comment,
    elem: distinct(fc.tuple(address, port).map((parts) => ({ concat: parts }))),
  }),
  record({
    type: fc.constant(['ipv4_addr', 'inet_service']),
    flags: fc.constant(['interval']),
    elem: subset([1, 2, 3]).map((slots) =>
      slots.map((slot) => ({
        concat: [{ prefix: { addr: `10.${slot}.0.0`, len: 16 } }, { range: [slot, 9] }],
      })),
    ),
  }),
  record({
    type: fc.constant('ipv4_addr'),
    flags: fc.constant(['timeout']),
    timeout: some(fc.constantFrom(3600, 7200)),
    'gc-interval': some(fc.constantFrom(10, 20)),
    size: some(fc.constantFrom(6, 8)),

    elem: fc
      .dictionary(address, some(fc.constantFrom(1800, 3600)), { maxKeys: 5 })
      .map((map) =>
        Object.entries(map).map(([val, timeout]) =>
          timeout === undefined ? val : { elem: { val, timeout } },
        ),
      ),
  }),
  record({
    type: fc.constant('ipv4_addr'),
    flags: fc.constant(['dynamic']),
    size: some(fc.constantFrom(16, 32)),
    comment,
  }),
  record({
    type: fc.constant('ipv4_addr'),
    flags: fc.constant(['interval', 'timeout']),
    timeout: some(fc.constantFrom(3600, 7200)),
    elem: fc
      .tuple(distinct(prefix), some(fc.constantFrom(1800, 3600)))
      .map(([list, timeout]) =>
        list.map((val, i) => (timeout === undefined || i > 1 ? val : { elem: { val, timeout } })),
      ),
  }),
  record({
    type: fc.constant('inet_service'),
    stmt: fc.constant([{ counter: null }]),
    elem: distinct(fc.tuple(port, comment)).map((list) => {
      const byPort = new Map(list);
      return [...byPort].map(([val, text]) => (text === undefined ? val : { elem: { val, comment: text } }));
    }),
  }),
];

const objects = {
  counter: record({ comment, packets: fc.nat(9), bytes: fc.nat(999) }),
  quota: record({ comment, bytes: fc.constantFrom(1000, 2000), inv: fc.boolean() }),
  limit: record({ comment, rate: fc.constantFrom(5, 10), per: fc.constantFrom('second', 'minute') }),
};

const regular = ['r1', 'r2', 'r3', 'r4'];

const dport = { payload: { protocol: 'tcp', field: 'dport' } };
const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
const equals = (left: unknown, right: unknown) => ({ match: { op: '==', left, right } });

/** What can be looked up in a set of this type. */
function keyOf(type: unknown): unknown {
  if (Array.isArray(type)) return { concat: [saddr, dport] };
  return type === 'inet_service' ? dport : saddr;
}

interface Names {
  readonly sets: Record<string, Node>;
  readonly verdicts: Record<string, Node>;
  readonly counters: Record<string, Node>;
  readonly quotas: Record<string, Node>;
  readonly limits: Record<string, Node>;
}

/** Statements that name what is there, and chains that come later. */
function statement(names: Names, targets: readonly string[], isBase: boolean): fc.Arbitrary<unknown> {
  const oneOf = (list: readonly unknown[]) => (list.length === 0 ? [] : [fc.constantFrom(...list)]);
  return fc.oneof(
    fc.constantFrom<unknown[]>(
      { counter: null },
      { counter: { packets: 3, bytes: 300 } },
      { counter: { packets: 7, bytes: 700 } },
      equals({ meta: { key: 'iifname' } }, 'lo'),
      equals(dport, { set: [22, 80] }),
      equals(dport, { range: [1000, 2000] }),
      equals(saddr, { prefix: { addr: '10.0.0.0', len: 8 } }),
      { log: { prefix: 'hello ' } },
      { limit: { rate: 5, per: 'second' } },
      { mangle: { key: { meta: { key: 'mark' } }, value: 7 } },
      { quota: { val: 25, val_unit: 'mbytes' } },
    ),
    ...oneOf(Object.values(names.sets).map(({ name, type }) => equals(keyOf(type), `@${name}`))),
    ...oneOf(
      Object.values(names.sets)
        .filter(({ flags }) => (flags as string[] | undefined)?.includes('dynamic'))
        .map(({ name, type }) => ({ set: { op: 'add', elem: keyOf(type), set: `@${name}` } })),
    ),
    ...oneOf(Object.keys(names.counters).map((counter) => ({ counter }))),
    ...oneOf(Object.keys(names.quotas).map((quota) => ({ quota }))),
    ...oneOf(Object.keys(names.limits).map((limit) => ({ limit }))),
    ...oneOf(
      isBase ? Object.keys(names.verdicts).map((name) => ({ vmap: { key: dport, data: `@${name}` } })) : [],
    ),
    ...oneOf(
      targets.length === 0
        ? []
        : targets.map((target) => ({
            vmap: {
              key: { meta: { key: 'mark' } },
              data: {
                set: [
                  [1, { jump: { target } }],
                  [2, { drop: null }],
                ],
              },
            },
          })),
    ),
  );
}

const rule = (names: Names, chain: string, targets: readonly string[], isBase: boolean): fc.Arbitrary<Node> =>
  fc
    .tuple(
      fc.array(statement(names, targets, isBase), { minLength: 1, maxLength: 3 }),
      some(
        fc.constantFrom<unknown[]>(
          { accept: null },
          { drop: null },
          { return: null },
          ...targets.map((target) => ({ jump: { target } })),
        ),
      ),
      comment,
    )
    .map(([body, verdict, text]) =>
      defined({ chain, expr: verdict === undefined ? body : [...body, verdict], comment: text }),
    );

function table(family: string, name: string): fc.Arbitrary<RulesetElement[]> {
  const contents = fc.record({
    chains: named(regular, record({ comment })),
    bases: named(
      ['b1', 'b2'],
      record({
        type: fc.constant('filter'),
        hook: fc.constantFrom('input', 'forward'),
        prio: fc.constantFrom(0, 10),
        policy: some(fc.constantFrom('accept', 'drop')),
      }),
    ),
    sets: named(['s1', 's2', 's3'], fc.oneof(...sets)),
    counters: named(['o1', 'o2'], objects.counter),
    quotas: named(['o1'], objects.quota),
    limits: named(['o1'], objects.limit),
    flags: some(fc.constant(['dormant'])),
    comment: fc.option(fc.constant('a table'), { nil: undefined, freq: 8 }),
  });
  return contents.chain(({ chains, bases, flags, comment: text, ...things }) => {
    const present = regular.filter((chain) => chain in chains);
    const verdict = fc.constantFrom<unknown[]>(
      { accept: null },
      ...present.map((target) => ({ jump: { target } })),
    );
    const counters = Object.keys(things.counters);
    return fc
      .record({
        verdicts: named(
          ['m1'],
          fc.record({
            type: fc.constant('inet_service'),
            map: fc.constant('verdict'),
            elem: fc
              .dictionary(port.map(String), verdict, { maxKeys: 4 })
              .map((map) => Object.entries(map).map(([key, value]) => [Number(key), value])),
          }),
        ),
        values: named(
          ['m2'],
          fc.record({
            type: fc.constant('ipv4_addr'),
            map: fc.constant('mark'),
            elem: fc.dictionary(address, fc.nat(9), { maxKeys: 4 }).map(Object.entries),
          }),
        ),
        objects: named(
          counters.length === 0 ? [] : ['m3'],
          fc.record({
            type: fc.constant('ipv4_addr'),
            map: fc.constant('counter'),
            elem: fc
              .dictionary(address, fc.constantFrom(...counters, 'o1'), { maxKeys: 4 })
              .map((map) => Object.entries(map).filter(([, counter]) => counters.includes(counter))),
          }),
        ),
      })
      .chain(({ verdicts, values, objects: counted }) => {
        const names = { ...things, verdicts };
        const rules = [...Object.keys(bases), ...present].map((chain) => {
          const isBase = chain in bases;
          const targets = present.filter((target) => isBase || target > chain);
          return fc.array(rule(names, chain, targets, isBase), { maxLength: 5 });
        });
        return fc.tuple(...rules).map((lists) => {
          const own = (kind: string, nodes: Iterable<Node>) =>
            [...nodes].map(
              (node) => ({ [kind]: { family, table: name, ...node } }) as unknown as RulesetElement,
            );
          return [
            { table: defined({ family, name, flags, comment: text }) } as unknown as RulesetElement,
            ...own('counter', Object.values(things.counters)),
            ...own('quota', Object.values(things.quotas)),
            ...own('limit', Object.values(things.limits)),
            ...own('chain', [...Object.values(chains), ...Object.values(bases)]),
            ...own('set', Object.values(things.sets)),
            ...own('map', [...Object.values(verdicts), ...Object.values(values), ...Object.values(counted)]),
            ...own('rule', lists.flat()),
          ];
        });
      });
  });
}

/** A ruleset of the tables `inet t` and `ip u`. */
export const ruleset: fc.Arbitrary<Ruleset> = fc
  .tuple(table('inet', 't'), table('ip', 'u'))
  .map(([one, other]) => ({ nftables: [...one, ...other] }));
