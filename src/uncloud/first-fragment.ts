import { drop, exthdr, ip6, meta, type Statement, set } from '../index.ts';

type Body = readonly Statement[];

/** The extension headers that the kernel walks: behind them the upper header is not where it usually is. */
export const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
export const AUTHENTICATION = 51;
const DESTINATION = 60;
export const EXTENSIONS = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION] as const;

const TCP = 6;
/** In bytes, as `ip6 length` counts: without the IPv6 header. */
const FRAGMENT_HEADER = 8;

/**
 * What becomes of first fragments that surely have all headers (RFC 7112); others come to the end of the chain.
 *
 * The kernel reads on into what a frame carries behind the IPv6 payload, and a receiver does not: a first
 * fragment could show one upper header there and send another in the next fragment. So the headers have
 * to fit into the payload length for certain: none but the fragment header, or one more of 64 bytes at most.
 */
export function wholeFirstFragment(verdict: Statement): Body[] {
  const upperFollows = (name: 'frag' | 'dst') => exthdr(name, 'nexthdr').notIn(set(...EXTENSIONS));
  const small = (name: 'hbh' | 'rt' | 'dst') => exthdr(name, 'hdrlength').le(7);
  const fits = (bytes: number) => ip6.length.ge(FRAGMENT_HEADER + bytes);
  const before = (name: 'hbh' | 'rt' | 'dst', number: number): Body => [
    ip6.nexthdr.eq(number),
    exthdr(name, 'nexthdr').eq(FRAGMENT),
    small(name),
    upperFollows('frag'),
    fits(64 + 20),
    verdict,
  ];
  return [
    [ip6.length.lt(FRAGMENT_HEADER + 20), meta.l4proto.eq(TCP), drop()],
    [ip6.nexthdr.eq(FRAGMENT), upperFollows('frag'), fits(8), verdict],
    [
      ip6.nexthdr.eq(FRAGMENT),
      exthdr('frag', 'nexthdr').eq(DESTINATION),
      upperFollows('dst'),
      small('dst'),
      fits(64 + 20),
      verdict,
    ],
    before('hbh', HOP_BY_HOP),
    before('dst', DESTINATION),
    before('rt', ROUTING),
  ];
}
