import fc from 'fast-check';
import type { DatatypeName } from '../../../src/datatype/index.ts';
import type { Expression, Statement } from '../../../src/model/index.ts';
import { type Packet, packet, type Selector, selectorsOf } from './selector.ts';
import { disposal, statement } from './statement.ts';
import { interval, value } from './value.ts';

/** A rule, the chain it stands in and the sets that it names. */
export interface RuleCase {
  readonly packet: Packet;
  readonly sets: readonly object[];
  readonly expr: readonly Statement[];
}

/** Types that a set is declared by in a word: the others have no width of their own. */
const typed = new Set<DatatypeName>([
  'ipv4_addr',
  'ipv6_addr',
  'ether_addr',
  'inet_proto',
  'inet_service',
  'mark',
  'ifname',
  'ct_state',
  'icmp_type',
  'icmpv6_type',
  'ether_type',
  'dscp',
  'uid',
  'gid',
  'classid',
  'realm',
]);

const few = { minLength: 1, maxLength: 4, selector: (one: unknown) => JSON.stringify(one) } as const;
const timeouts = fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined });

/** An element as it is, or with a timeout or a comment. */
const element = (val: fc.Arbitrary<Expression>, hasTimeout: boolean): fc.Arbitrary<Expression> =>
  fc.oneof(
    val,
    fc
      .tuple(val, fc.constantFrom('a', 'two words'))
      .map(([one, comment]) => ({ elem: { val: one, comment } })),
    ...(hasTimeout
      ? [
          fc
            .tuple(val, fc.integer({ min: 1, max: 9999 }))
            .map(([one, timeout]) => ({ elem: { val: one, timeout } })),
        ]
      : []),
  );

const bare = (one: Expression): unknown => (typeof one === 'object' && 'elem' in one ? one.elem.val : one);

/** A named set or map and a statement that asks it, or fills it. */
function named(about: Packet): fc.Arbitrary<Pick<RuleCase, 'sets' | 'expr'>> {
  const selectors = selectorsOf(about).filter(({ type }) => typed.has(type));
  return fc.array(fc.constantFrom(...selectors), { minLength: 1, maxLength: 3 }).chain((parts) =>
    fc.record({ timeout: timeouts, asInterval: fc.boolean() }).chain(({ timeout, asInterval }) => {
      const keys = parts.map((part) => (asInterval ? interval(part) : value(part)));
      const single = keys.length === 1;
      const key = single
        ? (keys[0] as fc.Arbitrary<Expression>)
        : fc.tuple(...keys).map((concat) => ({ concat }));
      const type = single ? parts[0]?.type : parts.map((part) => part.type);
      const left: Expression = single
        ? (parts[0] as Selector).expr
        : { concat: parts.map(({ expr }) => expr) };
      const flags = [...(asInterval ? ['interval'] : []), ...(timeout ? ['timeout'] : [])];
      const common = { name: 's', type, ...(flags.length > 0 && { flags }), ...(timeout && { timeout }) };
      // Several intervals might overlap, which the set refuses.
      const bounds = asInterval ? { ...few, maxLength: 1 } : few;
      const elements = fc.uniqueArray(element(key, timeout !== undefined), {
        ...bounds,
        selector: (one) => JSON.stringify(bare(one)),
      });
      const set = elements.map((elem) => ({ set: { ...common, elem } }));
      const verdicts = fc
        .tuple(elements, fc.constantFrom({ accept: null }, { drop: null }))
        .map(([all, verdict]) => ({
          map: { ...common, map: 'verdict', elem: all.map((one) => [one, verdict]) },
        }));
      const marks = fc.tuple(elements, fc.integer({ min: 0, max: 0xffffffff })).map(([all, mark]) => ({
        map: { ...common, map: 'mark', elem: all.map((one) => [one, mark]) },
      }));
      const mark: Expression = { meta: { key: 'mark' } };
      const forms: fc.Arbitrary<Pick<RuleCase, 'sets' | 'expr'>>[] = [
        fc.tuple(set, fc.constantFrom('==' as const, '!=' as const)).map(([one, op]) => ({
          sets: [one],
          expr: [{ match: { op, left, right: '@s' } }],
        })),
        verdicts.map((one) => ({ sets: [one], expr: [{ vmap: { key: left, data: '@s' } }] })),
        marks.map((one) => ({
          sets: [one],
          expr: [{ mangle: { key: mark, value: { map: { key: left, data: '@s' } } } }],
        })),
      ];
      if (!asInterval) {
        const filled = { set: { ...common, size: 1024 } };
        const limit = { rate: 5, per: 'second' as const, burst: 5 };
        forms.push(
          fc
            .tuple(
              fc.constantFrom('add' as const, 'update' as const),
              fc.constantFrom<Statement[]>([], [{ counter: null }], [{ limit }]),
            )
            .map(([op, stmt]) => ({
              sets: [filled],
              expr: [{ set: { op, elem: left, set: '@s', ...(stmt.length > 0 && { stmt }) } }],
            })),
        );
      }
      return fc.oneof(...forms);
    }),
  );
}

/** The statements with the one verdict map that they may have at their end: nothing may follow it. */
function ordered(list: readonly Statement[]): Statement[] {
  const isEnd = (one: Statement) => 'vmap' in one;
  const end = list.find(isEnd);
  return end === undefined
    ? [...list]
    : [...list.filter((one) => !isEnd(one) && !terminal.some((key) => key in one)), end];
}

const terminal = [
  'accept',
  'drop',
  'continue',
  'return',
  'jump',
  'goto',
  'queue',
  'reject',
  'snat',
  'dnat',
  'redirect',
  'masquerade',
  'fwd',
];

/** Rules of one to three statements, some with a named set. */
export const ruleCase: fc.Arbitrary<RuleCase> = packet.chain((about) => {
  const statements = fc
    .tuple(
      fc.array(statement(about), { minLength: 1, maxLength: 3 }),
      fc.option(disposal(about), { freq: 2 }),
    )
    .map(([list, last]) => ordered(last === null ? list : [...list, last]));
  return fc.oneof(
    { weight: 4, arbitrary: statements.map((expr) => ({ packet: about, sets: [], expr })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(named(about), fc.array(statement(about), { maxLength: 1 }))
        .map(([one, more]) => ({ packet: about, sets: one.sets, expr: ordered([...one.expr, ...more]) })),
    },
  );
});
