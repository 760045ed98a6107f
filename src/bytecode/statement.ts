import { bytes, field, oneOf, optional, string, u8, u16, u32, u64 } from '../wire/schema.ts';
import { define, hex } from './define.ts';
import { register } from './register.ts';

export const counter = define(
  'counter',
  { bytes: field(1, u64), packets: field(2, u64) },
  (i) => `pkts ${i.packets} bytes ${i.bytes}`,
);

const UNITS: Readonly<Record<string, string>> = {
  1: 'second',
  60: 'minute',
  3600: 'hour',
  86400: 'day',
  604800: 'week',
};

/** `rate` a `unit` seconds. Flag 1 inverts: the limit matches what is over. */
export const limit = define(
  'limit',
  {
    rate: field(1, u64),
    unit: field(2, u64),
    burst: optional(3, u32),
    type: optional(4, oneOf(['packets', 'bytes'])),
    flags: optional(5, u32),
  },
  (i) =>
    `rate ${i.rate}/${UNITS[String(i.unit)] ?? 'unknown'} burst ${i.burst ?? 0} type ${i.type ?? 'packets'} flags ${hex(i.flags ?? 0)}`,
);

/** Flag 1 inverts. */
export const connlimit = define(
  'connlimit',
  { count: field(1, u32), flags: optional(2, u32) },
  (i) => `count ${i.count} flags ${i.flags ?? 0}`,
);

/** Flag 1 inverts, flag 2 says depleted. */
export const quota = define(
  'quota',
  { bytes: field(1, u64), flags: optional(2, u32), consumed: optional(4, u64) },
  (i) => `bytes ${i.bytes} consumed ${i.consumed ?? 0} flags ${i.flags ?? 0}`,
);

/** When the last packet passed: milliseconds before now, and whether there was one. */
export const last = define('last', { set: optional(1, u32), msecs: optional(2, u64) }, (i) =>
  i.set ? `${i.msecs ?? 0}` : 'never',
);

const LOG_FLAGS = ['tcpseq', 'tcpopt', 'ipopt', 'uid', 'nflog', 'macdecode'] as const;

/** To a log group (`group`, `snaplen`, `qthreshold`) or to the kernel's log (`level`, `flags`). */
export const log = define(
  'log',
  {
    group: optional(1, u16),
    prefix: optional(2, string),
    snaplen: optional(3, u32),
    qthreshold: optional(4, u16),
    level: optional(5, u32),
    flags: optional(6, u32),
  },
  (i) => {
    const parts: string[] = [];
    if (i.prefix !== undefined) parts.push(`prefix ${i.prefix}`);
    if (i.group !== undefined) {
      parts.push(`group ${i.group} snaplen ${i.snaplen ?? 0} qthreshold ${i.qthreshold ?? 0}`);
    } else {
      if (i.level !== undefined) parts.push(`level ${i.level}`);
      LOG_FLAGS.forEach((name, bit) => {
        if ((i.flags ?? 0) & (1 << bit)) parts.push(name);
      });
    }
    return parts.join(' ');
  },
);

/** Flag 1 bypasses when nobody listens, flag 2 fans out by processor. */
export const queue = define(
  'queue',
  { num: optional(1, u16), total: optional(2, u16), flags: optional(3, u16), sreg: optional(4, register) },
  (i) => {
    const last = (i.num ?? 0) + (i.total ?? 1) - 1;
    const target =
      i.sreg !== undefined
        ? `sreg_qnum ${i.sreg}`
        : last > (i.num ?? 0)
          ? `num ${i.num}-${last}`
          : `num ${i.num}`;
    const flags = i.flags ?? 0;
    return `${target}${flags & 1 ? ' bypass' : ''}${flags & 2 ? ' fanout' : ''}`;
  },
);

export const REJECT_TYPES = ['icmp', 'tcp-rst', 'icmpx'] as const;

export const reject = define(
  'reject',
  { type: field(1, oneOf(REJECT_TYPES)), code: optional(2, u8) },
  (i) => `type ${REJECT_TYPES.indexOf(i.type)} code ${i.code ?? 0}`,
);

export const notrack = define('notrack', {}, () => '');

export const dup = define('dup', { addr: optional(1, register), dev: optional(2, register) }, (i) =>
  [i.addr === undefined ? '' : `sreg_addr ${i.addr}`, i.dev === undefined ? '' : `sreg_dev ${i.dev}`]
    .filter(Boolean)
    .join(' '),
);

export const fwd = define(
  'fwd',
  { dev: optional(1, register), addr: optional(2, register), nfproto: optional(3, u32) },
  (i) =>
    [
      i.dev === undefined ? '' : `sreg_dev ${i.dev}`,
      i.addr === undefined ? '' : `sreg_addr ${i.addr}`,
      i.nfproto === undefined ? '' : `nfproto ${i.nfproto}`,
    ]
      .filter(Boolean)
      .join(' '),
);

export const synproxy = define(
  'synproxy',
  { mss: optional(1, u16), wscale: optional(2, u8), flags: optional(3, u32) },
  (i) => `mss ${i.mss ?? 0} wscale ${i.wscale ?? 0}`,
);

export const flowOffload = define('flow_offload', { table: field(1, string) }, (i) => `flowtable ${i.table}`);

/** An xtables match, kept as it is. */
export const match = define(
  'match',
  { extension: field(1, string), revision: field(2, u32), info: field(3, bytes) },
  (i) => `name ${i.extension} rev ${i.revision}`,
);

/** An xtables target, kept as it is. */
export const target = define(
  'target',
  { extension: field(1, string), revision: field(2, u32), info: field(3, bytes) },
  (i) => `name ${i.extension} rev ${i.revision}`,
);
