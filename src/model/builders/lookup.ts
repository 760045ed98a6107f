import type { Fib, FibFlag, Ipsec, Jhash, Numgen, Osf, Rt, Socket, TunnelMeta } from '../expression.ts';
import { expressionOf, type Value } from './expression.ts';
import { Operand } from './operand.ts';

/** The route of the packet: `rt('nexthop', 'ip6')`. */
export function rt(key: Rt['key'], family?: Rt['family']): Operand {
  return new Operand({ rt: { key, family } });
}

/** What the routing table says: `fib(['saddr', 'iif'], 'oif').missing()` is reverse path filtering. */
export function fib(flags: FibFlag | readonly FibFlag[], result: Fib['result']): Operand {
  return new Operand({ fib: { result, flags } });
}

/** The local socket that the packet belongs to; `level` counts ancestors with `cgroupv2`. */
export function socket(key: Socket['key'], level?: number): Operand {
  return new Operand({ socket: { key, level } });
}

/** The sender's operating system, from the first packet of a TCP connection. */
export function osf(key: Osf['key'], ttl?: Osf['ttl']): Operand {
  return new Operand({ osf: { key, ttl } });
}

/** A transformation (xfrm) of the packet: `ipsec('in', 'reqid')`. */
export function ipsec(
  dir: Ipsec['dir'],
  key: Ipsec['key'],
  more: Pick<Ipsec, 'spnum' | 'family'> = {},
): Operand {
  return new Operand({ ipsec: { key, dir, spnum: more.spnum ?? 0, family: more.family } });
}

/** Metadata of the tunnel that the packet came through. */
export function tunnelMeta(key: TunnelMeta['key']): Operand {
  return new Operand({ tunnel: { key } });
}

/** A number that counts up or is random, from `offset` to `offset + mod - 1`. */
export function numgen(mode: Numgen['mode'], mod: number, offset?: number): Operand {
  return new Operand({ numgen: { mode, mod, offset } });
}

/** Jenkins hash of `expr`, from `offset` to `offset + mod - 1`. */
export function jhash(expr: Value, mod: number, more: Pick<Jhash, 'seed' | 'offset'> = {}): Operand {
  return new Operand({ jhash: { mod, expr: expressionOf(expr), ...more } });
}

/** Hash of the flow, the same in both directions, from `offset` to `offset + mod - 1`. */
export function symhash(mod: number, offset?: number): Operand {
  return new Operand({ symhash: { mod, offset } });
}
