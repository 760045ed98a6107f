import fc from 'fast-check';
import { datatype } from '../../../src/datatype/index.ts';
import type { Expression, MatchOperator, Statement } from '../../../src/model/index.ts';
import { type Packet, type Selector, selectorsOf } from './selector.ts';
import { interval, isBitmask, isOrdered, type Place, value } from './value.ts';

const pick = <T>(list: readonly T[]) => fc.constantFrom(...list);
const few = { minLength: 1, maxLength: 4 } as const;
const text = (literal: Expression) => JSON.stringify(literal);

/** Elements that do not overlap: distinct values. */
const values = (place: Place) => fc.uniqueArray(value(place), { ...few, selector: text });

const verdict: fc.Arbitrary<Expression> = pick([
  { accept: null },
  { drop: null },
  { continue: null },
  { return: null },
  { jump: { target: 'other' } },
  { goto: { target: 'other' } },
] as const);

const match = (op: MatchOperator, left: Expression, right: Expression): Statement => ({
  match: { op, left, right },
});

/** Comparisons of one expression. */
function comparison(selector: Selector): fc.Arbitrary<Statement> {
  const { expr } = selector;
  const equality = pick(['==', '!='] as const);
  const forms: fc.Arbitrary<Statement>[] = [
    fc.tuple(equality, value(selector)).map(([op, right]) => match(op, expr, right)),
  ];
  if (selector.type === 'boolean') return forms[0] as fc.Arbitrary<Statement>;
  forms.push(
    fc.tuple(equality, interval(selector)).map(([op, right]) => match(op, expr, right)),
    fc.tuple(equality, values(selector)).map(([op, set]) => match(op, expr, { set })),
    // One interval alone cannot overlap another.
    fc.tuple(equality, interval(selector)).map(([op, one]) => match(op, expr, { set: [one] })),
  );
  if (!selector.matchOnly)
    forms.push(
      values(selector).chain((keys) =>
        fc.array(verdict, { minLength: keys.length, maxLength: keys.length }).map(
          (verdicts): Statement => ({
            vmap: { key: expr, data: { set: keys.map((key, i) => [key, verdicts[i] as Expression]) } },
          }),
        ),
      ),
    );
  if (isOrdered(selector)) {
    forms.push(
      fc
        .tuple(pick(['<', '>', '<=', '>='] as const), value(selector))
        .map(([op, right]) => match(op, expr, right)),
    );
    // nft 1.0.6 shifts fields of odd widths in network order, and their masks with them.
    if (
      selector.bits % 8 === 0 &&
      ['integer', 'mark', 'ipv4_addr', 'ipv6_addr', 'ether_addr'].includes(selector.type)
    ) {
      forms.push(
        fc
          .tuple(equality, value(selector), value(selector))
          .map(([op, mask, right]) => masked(selector, op, mask, right)),
      );
    }
  }
  if (isBitmask(selector)) {
    const flags = fc.uniqueArray(value(selector), few);
    forms.push(
      fc.tuple(pick(['in', '!', '==', '!='] as const), flags).map(([op, right]) => match(op, expr, right)),
      fc
        .tuple(equality, flags)
        .map(([op, mask]) =>
          match(
            op,
            { '&': [expr, mask.reduce((sum, flag) => ({ '|': [sum, flag] }))] } as Expression,
            mask[0] as Expression,
          ),
        ),
    );
  }
  return fc.oneof(...forms);
}

/** The value that remains behind a mask. */
function masked(selector: Selector, op: MatchOperator, mask: Expression, right: Expression): Statement {
  const kind = datatype(selector.type);
  const number = (literal: Expression) => kind.parse(literal as string, selector.bits);
  const rest = kind.format(number(right) & number(mask), selector.bits);
  return match(op, { '&': [selector.expr, mask] }, rest);
}

/** Types that a concatenation of an anonymous set can have in any order. */
const concatenable = ({ type, matchOnly }: Selector) =>
  !matchOnly && !['boolean', 'ct_label', 'string'].includes(type);

function concatenation(selectors: readonly Selector[]): fc.Arbitrary<Statement> {
  return fc.array(pick(selectors.filter(concatenable)), { minLength: 2, maxLength: 4 }).chain((parts) => {
    const left: Expression = { concat: parts.map(({ expr }) => expr) };
    const key = (of: (place: Place) => fc.Arbitrary<Expression>) =>
      fc.tuple(...parts.map(of)).map((concat): Expression => ({ concat }));
    const keys = fc.uniqueArray(key(value), { ...few, selector: text });
    return fc.oneof(
      fc.tuple(pick(['==', '!='] as const), keys).map(([op, set]) => match(op, left, { set })),
      fc
        .tuple(pick(['==', '!='] as const), key(interval))
        .map(([op, one]) => match(op, left, { set: [one] })),
      fc
        .tuple(keys, verdict)
        .map(
          ([all, one]): Statement => ({ vmap: { key: left, data: { set: all.map((key) => [key, one]) } } }),
        ),
    );
  });
}

/** Changes to what may be changed: to a value, through a map, by its bits. */
function mangle(selectors: readonly Selector[]): fc.Arbitrary<Statement> {
  const settable = selectors.filter(({ settable, type }) => settable && type !== 'boolean');
  return pick(settable).chain((target) => {
    const { expr: key, bits } = target;
    const forms = [value(target).map((one): Statement => ({ mangle: { key, value: one } }))];
    if (target.type === 'mark') {
      const word = fc.integer({ min: 0, max: 0xffffffff });
      forms.push(
        fc.tuple(pick(['&', '|', '^'] as const), word).map(
          ([op, mask]): Statement => ({
            mangle: { key, value: { [op]: [key, mask] } as unknown as Expression },
          }),
        ),
        fc
          .tuple(word, word)
          .map(([and, or]): Statement => ({ mangle: { key, value: { '|': [{ '&': [key, and] }, or] } } })),
        fc.tuple(pick(['<<', '>>'] as const), fc.integer({ min: 1, max: 31 })).map(
          ([op, by]): Statement => ({
            mangle: { key, value: { [op]: [key, by] } as unknown as Expression },
          }),
        ),
      );
    }
    if (bits % 8 === 0 && target.type !== 'integer') {
      forms.push(
        pick(selectors.filter(concatenable)).chain((from) =>
          fc.tuple(values(from), value(target)).map(
            ([keys, one]): Statement => ({
              mangle: {
                key,
                value: { map: { key: from.expr, data: { set: keys.map((each) => [each, one]) } } },
              },
            }),
          ),
        ),
      );
    }
    return fc.oneof(...forms);
  });
}

const unit = pick(['second', 'minute', 'hour', 'day', 'week'] as const);
const bytes = pick(['bytes', 'kbytes', 'mbytes'] as const);
const count = fc.integer({ min: 1, max: 1000 });

/** Statements that do not depend on the packet. */
const plain: fc.Arbitrary<Statement> = fc.oneof(
  fc.constant({ counter: null }),
  fc.record({ packets: count, bytes: count }).map((counter) => ({ counter })),
  fc.record({ rate: count, per: unit, burst: count, inv: fc.boolean() }).map((limit) => ({ limit })),
  fc
    .record({ rate: count, rate_unit: bytes, per: unit, burst: count, burst_unit: bytes, inv: fc.boolean() })
    .map((limit) => ({ limit })),
  fc.record({ val: count, val_unit: bytes, inv: fc.boolean() }).map((quota) => ({ quota })),
  fc.constant({ log: null }),
  fc
    .record({
      prefix: pick(['a', 'dropped: ', 'x y z']),
      level: pick(['emerg', 'warn', 'info', 'debug'] as const),
    })
    .map((log) => ({ log })),
  fc
    .record({ group: fc.integer({ min: 0, max: 65535 }), snaplen: count, 'queue-threshold': count })
    .map((log) => ({ log })),
  fc
    .uniqueArray(pick(['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] as const), few)
    .map((flags) => ({ log: { flags } })),
);

/** Statements after which a rule ends, and their like: what becomes of such packets. */
export function disposal({ family, hook, network, transport }: Packet): fc.Arbitrary<Statement> {
  const end = verdict as fc.Arbitrary<Statement>;
  if (family === 'arp') return end;
  const address = network === 'ip6' ? 'ipv6_addr' : 'ipv4_addr';
  const code = pick(['port-unreachable', 'admin-prohibited', 'no-route', 'host-unreachable']);
  const forms: fc.Arbitrary<Statement>[] = [
    fc.oneof(
      count.map((num) => ({ queue: { num } })),
      fc.tuple(count, count).map(([num, more]) => ({
        queue: { num: { range: [num, num + more] as const }, flags: ['fanout'] as const },
      })),
    ),
  ];
  const isLayer3 = family !== 'bridge' && family !== 'netdev';
  if (hook !== 'prerouting' || !isLayer3) {
    if (network === undefined || family === 'inet')
      forms.push(code.map((expr) => ({ reject: { type: 'icmpx', expr } })));
    if (network === 'ip')
      forms.push(
        pick(['host-unreachable', 'net-prohibited']).map((expr) => ({ reject: { type: 'icmp', expr } })),
      );
    if (network === 'ip6')
      forms.push(
        pick(['no-route', 'addr-unreachable']).map((expr) => ({ reject: { type: 'icmpv6', expr } })),
      );
    if (transport === 'tcp') forms.push(fc.constant({ reject: { type: 'tcp reset' } }));
    forms.push(fc.constant({ reject: null }));
  }
  if (isLayer3)
    forms.push(
      fc.constant({ notrack: null }),
      count.map((val) => ({ 'ct count': { val } })),
    );
  if ((family === 'ip' || family === 'ip6') && network) {
    forms.push(value({ type: address, bits: 0 }).map((addr) => ({ dup: { addr } })));
  }
  if (family === 'netdev')
    forms.push(fc.constant({ fwd: { dev: 'lo' } }), fc.constant({ dup: { addr: 'lo' } }));
  if (isLayer3 && network && (transport === 'tcp' || transport === 'udp')) {
    const where = family === 'inet' ? { family: network as 'ip' } : {};
    const addr = interval({ type: address, bits: 0 }).filter(
      (one) => typeof one === 'string' || 'range' in (one as object),
    );
    const port = interval({ type: 'inet_service', bits: 16 });
    const flags = fc.uniqueArray(pick(['random', 'persistent', 'fully-random'] as const), few);
    const translations = (kind: 'snat' | 'dnat') => [
      addr.map((one) => ({ [kind]: { ...where, addr: one } }) as unknown as Statement),
      fc
        .tuple(addr, port)
        .map(([one, two]) => ({ [kind]: { ...where, addr: one, port: two } }) as unknown as Statement),
      fc
        .tuple(addr, flags)
        .map(([one, two]) => ({ [kind]: { ...where, addr: one, flags: two } }) as unknown as Statement),
    ];
    if (hook === 'input') forms.push(...translations('snat'));
    if (hook === 'prerouting' || hook === 'output') {
      forms.push(
        ...translations('dnat'),
        fc.tuple(port, flags).map(([one, two]) => ({ redirect: { port: one, flags: two } })),
      );
    }
    if (hook === 'prerouting') {
      forms.push(
        fc
          .tuple(value({ type: address, bits: 0 }), fc.integer({ min: 1, max: 65535 }))
          .map(([one, two]) => ({ tproxy: { ...where, addr: one, port: two } }) as unknown as Statement),
      );
    }
  }
  return fc.oneof(end, ...forms);
}

/** Statements about such packets, each of which nft should take. */
export function statement(packet: Packet): fc.Arbitrary<Statement> {
  const selectors = selectorsOf(packet);
  return fc.oneof(
    { weight: 6, arbitrary: pick(selectors).chain(comparison) },
    { weight: 2, arbitrary: concatenation(selectors) },
    { weight: 2, arbitrary: mangle(selectors) },
    { weight: 1, arbitrary: plain },
  );
}
