import fc from 'fast-check';
import type { Expression, Statement } from '../../../src/model/index.ts';
import type { RuleCase } from './rule.ts';
import type { Packet } from './selector.ts';

/** A part of the packet. */
interface Part {
  readonly expr: Expression;
  readonly bits: number;
}

const payload = (protocol: string, field: string, bits: number): Part => ({
  expr: { payload: { protocol, field } } as Expression,
  bits,
});

const raw: fc.Arbitrary<Part> = fc
  .tuple(
    fc.constantFrom('th' as const, 'th' as const, 'nh' as const, 'ih' as const),
    fc.constantFrom(0, 16, 32, 48, 64, 72, 96, 104, 128),
    fc.constantFrom(8, 16, 16, 16, 32),
  )
  .map(([base, offset, len]) => ({ expr: { payload: { base, offset, len } }, bits: len }));

const named = fc.constantFrom(
  payload('tcp', 'dport', 16),
  payload('udp', 'sport', 16),
  payload('th', 'dport', 16),
  payload('icmp', 'code', 8),
  payload('icmp', 'id', 16),
  payload('icmpv6', 'mtu', 16),
  payload('sctp', 'vtag', 32),
  payload('udp', 'length', 16),
  payload('ip', 'ttl', 8),
  payload('ip6', 'hoplimit', 8),
  payload('tcp', 'flags', 8),
);

const part = fc.oneof({ weight: 3, arbitrary: raw }, named);
const number = ({ bits }: Part) => fc.integer({ min: 0, max: Math.min(2 ** bits - 1, 2 ** 31) });
const operator = fc.constantFrom('==' as const, '!=' as const);
const TRANSPORTS = ['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 47];

/** What says in so many words which protocol it is, in whatever place. */
const protocol: fc.Arbitrary<Statement> = fc
  .tuple(
    fc.oneof(
      fc.tuple(
        fc.constant({ meta: { key: 'l4proto' } }),
        fc.constantFrom(...TRANSPORTS, { set: ['tcp', 'udp'] }),
      ),
      fc.tuple(
        fc.constant({ payload: { protocol: 'ip', field: 'protocol' } }),
        fc.constantFrom(...TRANSPORTS),
      ),
      fc.tuple(
        fc.constant({ payload: { protocol: 'ip6', field: 'nexthdr' } }),
        fc.constantFrom(...TRANSPORTS),
      ),
      fc.tuple(fc.constant({ meta: { key: 'protocol' } }), fc.constantFrom('ip', 'ip6')),
      fc.tuple(fc.constant({ meta: { key: 'nfproto' } }), fc.constantFrom('ipv4', 'ipv6')),
    ),
    operator,
  )
  .map(([[left, right], op]) => ({ match: { op, left, right } }) as Statement);

const comparison: fc.Arbitrary<Statement> = part.chain((one) => {
  const { expr: left } = one;
  const several = fc.uniqueArray(number(one), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc
      .tuple(fc.constantFrom('==' as const, '!=' as const, '<' as const, '>=' as const), number(one))
      .map(([op, right]) => ({ match: { op, left, right } })),
    fc
      .tuple(operator, number({ ...one, bits: one.bits - 1 }))
      .map(([op, low]) => ({ match: { op, left, right: { range: [low, low + 5] as [number, number] } } })),
    fc
      .tuple(operator, number(one), number(one))
      .map(([op, mask, value]) => ({ match: { op, left: { '&': [left, mask] }, right: value & mask } })),
    several.map((set) => ({ match: { op: '==' as const, left, right: { set } } })),
    several.map((keys) => ({ vmap: { key: left, data: { set: keys.map((key) => [key, { drop: null }]) } } })),
  ) as fc.Arbitrary<Statement>;
});

const pair: fc.Arbitrary<Statement> = fc.tuple(part, part).chain((parts) =>
  fc
    .uniqueArray(fc.tuple(number(parts[0]), number(parts[1])), {
      minLength: 1,
      maxLength: 3,
      selector: String,
    })
    .map((list) => ({
      match: {
        op: '==' as const,
        left: { concat: parts.map(({ expr }) => expr) },
        right: { set: list.map((concat) => ({ concat })) },
      },
    })),
);

const change: fc.Arbitrary<Statement> = part.chain((one) =>
  number(one).map((value) => ({ mangle: { key: one.expr, value } }) as Statement),
);

const statement = fc.oneof(
  { weight: 4, arbitrary: protocol },
  { weight: 6, arbitrary: comparison },
  pair,
  change,
  fc.constant<Statement>({ counter: null }),
);

const packet = fc
  .constantFrom('ip' as const, 'ip6' as const, 'inet' as const, 'bridge' as const, 'netdev' as const)
  .map(
    (family): Packet => ({
      family,
      hook: family === 'netdev' ? 'ingress' : 'prerouting',
      network: undefined,
      transport: undefined,
    }),
  );

/** Rules about bytes of the packet by their place, between others that name fields, or the protocol. */
export const rawRule: fc.Arbitrary<RuleCase> = fc.record({
  packet,
  sets: fc.constant([]),
  expr: fc.array(statement, { minLength: 1, maxLength: 4 }),
});
