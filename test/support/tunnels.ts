import type { Tunnel } from '../../src/index.ts';

export const place = { family: 'netdev', table: 't' } as const;

export const vxlan: Tunnel = {
  ...place,
  name: 'v',
  id: 10,
  'src-ipv4': '192.0.2.1',
  'dst-ipv4': '192.0.2.2',
  sport: 10,
  dport: 20,
  tos: 4,
  ttl: 64,
  type: 'vxlan',
  tunnel: { gbp: 200 },
};
export const tunnels: readonly Tunnel[] = [
  vxlan,
  {
    ...place,
    name: 'e',
    id: 11,
    'src-ipv6': '2001:db8::1',
    'dst-ipv6': '2001:db8::2',
    ttl: 1,
    type: 'erspan',
    tunnel: { version: 2, direction: 'egress', hwid: 7 },
  },
  {
    ...place,
    name: 'f',
    id: 0,
    'dst-ipv4': '192.0.2.3',
    ttl: 2,
    type: 'erspan',
    tunnel: { version: 1, index: 9 },
  },
  { ...place, name: 'g', id: 0xffffff, 'dst-ipv4': '192.0.2.4', ttl: 3 },
];
