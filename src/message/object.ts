import {
  bytes,
  host32,
  nest,
  nested,
  optional,
  type Schema,
  string,
  u8,
  u16,
  u32,
  u64,
} from '../wire/schema.ts';

/** NFTA_OBJ_*; `data` is a nest whose schema depends on the type: see {@link objectData}. */
export const object = {
  table: optional(1, string),
  name: optional(2, string),
  type: optional(3, u32),
  data: optional(4, nest),
  use: optional(5, u32),
  handle: optional(6, u64),
  userdata: optional(8, bytes),
};

/** NFTA_CT_TIMEOUT_DATA is a nest of seconds by the number of the protocol's state. */
const timeout = (states: number): Schema =>
  Object.fromEntries(Array.from({ length: states }, (_, i) => [String(i + 1), optional(i + 1, u32)]));

/** NFTA_OBJ_DATA by the kind of object. */
export const objectData = {
  counter: { bytes: optional(1, u64), packets: optional(2, u64) },
  quota: { bytes: optional(1, u64), flags: optional(2, u32), consumed: optional(4, u64) },
  'ct helper': { name: optional(1, string), l3proto: optional(2, u16), l4proto: optional(3, u8) },
  limit: {
    rate: optional(1, u64),
    unit: optional(2, u64),
    burst: optional(3, u32),
    type: optional(4, u32),
    flags: optional(5, u32),
  },
  connlimit: { count: optional(1, u32), flags: optional(2, u32) },
  'ct timeout': {
    l3proto: optional(1, u16),
    l4proto: optional(2, u8),
    data: optional(3, nested(timeout(16))),
  },
  secmark: { context: optional(1, string) },
  'ct expectation': {
    l3proto: optional(1, u16),
    l4proto: optional(2, u8),
    dport: optional(3, u16),
    timeout: optional(4, host32),
    size: optional(5, u8),
  },
  tunnel: {
    id: optional(1, u32),
    ip: optional(2, nested({ saddr: optional(1, bytes), daddr: optional(2, bytes) })),
    ip6: optional(
      3,
      nested({ saddr: optional(1, bytes), daddr: optional(2, bytes), flowlabel: optional(3, u32) }),
    ),
    flags: optional(4, u32),
    tos: optional(5, u8),
    ttl: optional(6, u8),
    sport: optional(7, u16),
    dport: optional(8, u16),
    opts: optional(
      9,
      nested({
        vxlan: optional(1, nested({ gbp: optional(1, u32) })),
        erspan: optional(
          2,
          nested({
            version: optional(1, u32),
            index: optional(2, u32),
            hwid: optional(3, u8),
            dir: optional(4, u8),
          }),
        ),
      }),
    ),
  },
  synproxy: { mss: optional(1, u16), wscale: optional(2, u8), flags: optional(3, u32) },
} as const satisfies Record<string, Schema>;
