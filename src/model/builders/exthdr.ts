import type {
  Exthdr,
  ExthdrFields,
  IpOption,
  IpOptionFields,
  SctpChunk,
  SctpChunkFields,
  TcpOption,
  TcpOptionFields,
} from '../payload.ts';
import { Operand } from './operand.ts';

/**
 * A field of an IPv6 extension header, or with `exists()` the header itself: `exthdr('frag', 'id')`.
 *
 * @param offset - with `rt0` alone: how many addresses after the named one
 */
export function exthdr<N extends keyof ExthdrFields>(
  name: N,
  field?: ExthdrFields[N],
  offset?: number,
): Operand {
  return new Operand({ exthdr: { name, field, offset } as Exthdr });
}

/** A field of a TCP option, or with `exists()` the option itself: `tcpOption('maxseg', 'size')`. */
export function tcpOption<N extends keyof TcpOptionFields>(name: N, field?: TcpOptionFields[N]): Operand {
  return new Operand({ 'tcp option': { name, field } as TcpOption });
}

/** A field of an IPv4 option, or with `exists()` the option itself: `ipOption('ra', 'value')`. */
export function ipOption<N extends keyof IpOptionFields>(name: N, field?: IpOptionFields[N]): Operand {
  return new Operand({ 'ip option': { name, field } as IpOption });
}

/** A field of an SCTP chunk, or with `exists()` the chunk itself (Linux 5.14). */
export function sctpChunk<N extends keyof SctpChunkFields>(name: N, field?: SctpChunkFields[N]): Operand {
  return new Operand({ 'sctp chunk': { name, field } as SctpChunk });
}

/** Whether a DCCP option of this number is there: `dccpOption(41).exists()` (Linux 6.5). */
export function dccpOption(type: number): Operand {
  return new Operand({ 'dccp option': { type } });
}
