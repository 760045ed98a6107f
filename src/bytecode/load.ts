import { field, oneOf, optional, u8, u32 } from '../wire/schema.ts';
import { define, hex } from './define.ts';
import { register } from './register.ts';

/** Loads packet bytes into `dreg`, or stores `sreg` into the packet and mends the checksum. */
export const payload = define(
  'payload',
  {
    dreg: optional(1, register),
    base: field(2, oneOf(['link', 'network', 'transport', 'inner', 'tunnel'])),
    offset: field(3, u32),
    len: field(4, u32),
    sreg: optional(5, register),
    csumType: optional(6, u32),
    csumOffset: optional(7, u32),
    csumFlags: optional(8, u32),
  },
  (i) => {
    const where = `${i.len}b @ ${i.base === 'tunnel' ? 'unknown' : i.base} header + ${i.offset}`;
    if (i.sreg === undefined) return `load ${where} => reg ${i.dreg}`;
    return `write reg ${i.sreg} => ${where} csum_type ${i.csumType ?? 0} csum_off ${i.csumOffset ?? 0} csum_flags ${hex(i.csumFlags ?? 0)}`;
  },
);

/** What {@link exthdr} walks: the kernel's enum nft_exthdr_op. */
export const EXTHDR_OPS = ['ipv6', 'tcpopt', 'ipv4', 'sctp', 'dccp'] as const;

/** Loads or stores a field of an extension header, option or chunk; flag 1 asks only for presence. */
export const exthdr = define(
  'exthdr',
  {
    dreg: optional(1, register),
    type: field(2, u8),
    offset: optional(3, u32),
    len: optional(4, u32),
    flags: optional(5, u32),
    op: optional(6, oneOf(EXTHDR_OPS)),
    sreg: optional(7, register),
  },
  (i) => {
    const op = i.op ?? 'ipv6';
    const kind = op === 'sctp' || op === 'dccp' ? '' : `${op} `;
    const where = `${i.len ?? 0}b @ ${i.type} + ${i.offset ?? 0}`;
    if (i.dreg !== undefined) return `load ${kind}${where}${i.flags ? ' present' : ''} => reg ${i.dreg}`;
    if (i.sreg !== undefined) return `write ${kind}reg ${i.sreg} => ${where}`;
    return `reset ${kind}${i.type}`;
  },
);

/** enum nft_meta_keys, with libnftnl's names. */
export const META_KEYS = [
  'len',
  'protocol',
  'priority',
  'mark',
  'iif',
  'oif',
  'iifname',
  'oifname',
  'iiftype',
  'oiftype',
  'skuid',
  'skgid',
  'nftrace',
  'rtclassid',
  'secmark',
  'nfproto',
  'l4proto',
  'bri_iifname',
  'bri_oifname',
  'pkttype',
  'cpu',
  'iifgroup',
  'oifgroup',
  'cgroup',
  'prandom',
  'secpath',
  'iifkind',
  'oifkind',
  'bri_iifpvid',
  'bri_iifvproto',
  'time',
  'day',
  'hour',
  'sdif',
  'sdifname',
  'broute',
  'bri_iifhwaddr',
] as const;

export const meta = define(
  'meta',
  { dreg: optional(1, register), key: field(2, oneOf(META_KEYS)), sreg: optional(3, register) },
  (i) => (i.sreg === undefined ? `load ${i.key} => reg ${i.dreg}` : `set ${i.key} with reg ${i.sreg}`),
);

/** enum nft_ct_keys, with libnftnl's names. */
export const CT_KEYS = [
  'state',
  'direction',
  'status',
  'mark',
  'secmark',
  'expiration',
  'helper',
  'l3protocol',
  'src',
  'dst',
  'protocol',
  'proto_src',
  'proto_dst',
  'label',
  'packets',
  'bytes',
  'avgpkt',
  'zone',
  'event',
  'src_ip',
  'dst_ip',
  'src_ip6',
  'dst_ip6',
  'id',
] as const;

export const ct = define(
  'ct',
  {
    dreg: optional(1, register),
    key: field(2, oneOf(CT_KEYS)),
    direction: optional(3, oneOf(['original', 'reply'], u8)),
    sreg: optional(4, register),
  },
  (i) => {
    const direction = i.direction === undefined ? '' : ` , dir ${i.direction}`;
    return i.sreg === undefined
      ? `load ${i.key === 'id' ? 'unknown' : i.key} => reg ${i.dreg}${direction}`
      : `set ${i.key} with reg ${i.sreg}${direction}`;
  },
);

/** enum nft_rt_keys. */
export const RT_KEYS = ['classid', 'nexthop4', 'nexthop6', 'tcpmss', 'ipsec'] as const;

export const rt = define(
  'rt',
  { dreg: field(1, register), key: field(2, oneOf(RT_KEYS)) },
  (i) => `load ${i.key} => reg ${i.dreg}`,
);

/** NFTA_FIB_F_*, in the order of their bits. */
export const FIB_FLAGS = ['saddr', 'daddr', 'mark', 'iif', 'oif', 'present'] as const;

export const fib = define(
  'fib',
  {
    dreg: field(1, register),
    result: field(2, oneOf(['unspec', 'oif', 'oifname', 'type'])),
    flags: field(3, u32),
  },
  (i) => {
    const keys = FIB_FLAGS.filter((name, bit) => name !== 'present' && i.flags & (1 << bit)).join(' . ');
    return `${keys} ${i.result}${i.flags & 32 ? ' present' : ''} => reg ${i.dreg}`;
  },
);

export const socket = define(
  'socket',
  {
    key: field(1, oneOf(['transparent', 'mark', 'wildcard', 'cgroupv2'])),
    dreg: field(2, register),
    level: optional(3, u32),
  },
  (i) => `load ${i.key}${i.key === 'cgroupv2' ? ` level ${i.level ?? 0}` : ''} => reg ${i.dreg}`,
);

export const osf = define(
  'osf',
  { dreg: field(1, register), ttl: optional(2, u8), flags: optional(3, u32) },
  (i) => `dreg ${i.dreg}`,
);

export const numgen = define(
  'numgen',
  {
    dreg: field(1, register),
    modulus: field(2, u32),
    type: field(3, oneOf(['inc', 'random'])),
    offset: optional(4, u32),
  },
  (i) => `reg ${i.dreg} = ${i.type} mod ${i.modulus}${i.offset ? ` offset ${i.offset}` : ''}`,
);

export const hash = define(
  'hash',
  {
    sreg: optional(1, register),
    dreg: field(2, register),
    len: optional(3, u32),
    modulus: field(4, u32),
    seed: optional(5, u32),
    offset: optional(6, u32),
    type: optional(7, oneOf(['jenkins', 'sym'])),
  },
  (i) => {
    const call = i.type === 'sym' ? 'symhash()' : `jhash(reg ${i.sreg}, ${i.len}, ${hex(i.seed ?? 0)})`;
    return `reg ${i.dreg} = ${call} % mod ${i.modulus}${i.offset ? ` offset ${i.offset}` : ''}`;
  },
);

export const xfrm = define(
  'xfrm',
  {
    dreg: field(1, register),
    key: field(2, oneOf(['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'])),
    dir: field(3, oneOf(['in', 'out'], u8)),
    spnum: optional(4, u32),
  },
  (i) => `load ${i.dir} ${i.spnum ?? 0} ${i.key} => reg ${i.dreg}`,
);

export const tunnel = define(
  'tunnel',
  {
    key: field(1, oneOf(['path', 'id'])),
    dreg: field(2, register),
    mode: optional(3, oneOf(['none', 'rx', 'tx'])),
  },
  (i) => `load ${i.key} => reg ${i.dreg}`,
);
