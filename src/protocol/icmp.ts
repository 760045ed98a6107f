import { header } from './header.ts';

/** Message types that share a layout, in the order in which nft lists them. */
const icmpEcho = [8, 0];
const icmpv6Echo = [128, 129];
const icmpv6Target = [130, 131, 132, 135, 136, 137];

/** Control messages of IPv4, RFC 792. */
export const icmp = header(
  {
    name: 'icmp',
    id: 4,
    base: 'transport',
    key: 'type',
    over: 'ip',
    checksum: { field: 'checksum', type: 'inet' },
  },
  [
    ['type', 'icmp_type', 0, 8],
    ['code', 'icmp_code', 8, 8],
    ['checksum', 'integer', 16, 16],
    ['id', 'integer', 32, 16, icmpEcho],
    ['sequence', 'integer', 48, 16, icmpEcho],
    ['gateway', 'integer', 32, 32, [5]],
    ['mtu', 'integer', 48, 16, [3]],
  ],
);

/** Control messages of IPv6, RFC 4443, 4861 and 2710. `taddr` and `daddr` since nft 1.0.9. */
export const icmpv6 = header(
  {
    name: 'icmpv6',
    id: 14,
    base: 'transport',
    key: 'type',
    over: 'ip6',
    checksum: { field: 'checksum', type: 'inet' },
  },
  [
    ['type', 'icmpv6_type', 0, 8],
    ['code', 'icmpv6_code', 8, 8],
    ['checksum', 'integer', 16, 16],
    ['parameter-problem', 'integer', 32, 32, [4]],
    ['mtu', 'integer', 32, 32, [2]],
    ['id', 'integer', 32, 16, icmpv6Echo],
    ['sequence', 'integer', 48, 16, icmpv6Echo],
    ['max-delay', 'integer', 32, 16, [130]],
    ['taddr', 'ipv6_addr', 64, 128, icmpv6Target],
    ['daddr', 'ipv6_addr', 192, 128, [137]],
  ],
);

/** Group management of IPv4, RFC 2236. */
export const igmp = header(
  { name: 'igmp', id: 5, base: 'transport', over: 'ip', checksum: { field: 'checksum', type: 'inet' } },
  [
    ['type', 'igmp_type', 0, 8],
    ['checksum', 'integer', 16, 16],
    ['mrt', 'integer', 8, 8],
    ['group', 'integer', 32, 32],
  ],
);
