import { type Facts, type Host, type PolicyResult, parseHost, parsePolicy } from '../../src/uncloud/index.ts';

/** A host with a shared and a private network, three VMs there, and one VM of the seed's form. */
export function example(change: { sets?: string; forward?: string } = {}): PolicyResult & { host: Host } {
  const host = parseHost({
    bridges: { br100: { uplinks: ['vxlan100'] }, br200: { uplinks: ['vxlan200'], shared: false } },
    ...change,
  });
  const result = parsePolicy(
    {
      vms: {
        '343a': {
          ipv4: ['185.203.112.1/32'],
          ipv6: ['2a0a:e5c1:111:b::/64'],
          nics: [
            {
              ifname: 'v343a-0',
              bridge: 'br100',
              mac: '02:00:f0:a9:c4:4f',
              ipv4: ['10.0.0.1/32'],
              ipv6: ['2a0a:e5c1:111:888:0:f0ff:fea9:c44f/128', '2a0a:e5c1:111:1234::/64'],
            },
          ],
        },
        '343b': {
          nics: [
            {
              ifname: 'v343b-0',
              bridge: 'br100',
              mac: '02:00:f0:a9:c4:50',
              ipv4: ['10.0.0.2/32', '10.1.0.0/24'],
              ipv6: ['2a0a:e5c1:111:888:0:f0ff:fea9:c450/128'],
              linkLocal: 'any',
            },
          ],
        },
        '51a0': {
          nics: [{ ifname: 'v51a0-0', bridge: 'br200', mac: '02:00:f0:a9:c5:01', ipv4: ['192.168.7.1/32'] }],
        },
        elsewhere: {
          nics: [{ ifname: 'v60-0', bridge: 'br900', mac: '02:00:f0:a9:c6:01', ipv4: ['192.168.8.1/32'] }],
        },
        seed: { ipv6: ['2a0a:e5c1:222::/48'], ipv4: ['198.51.100.0/24'] },
        broken: { nics: [{ ifname: 'v7-0', bridge: 'br100', mac: '01:00:00:00:00:00' }] },
      },
    },
    { host },
  );
  return { ...result, host };
}

/** Interfaces as they might be on that host: one VM's port is not there yet, one port is nobody's. */
export const interfaces: Facts['interfaces'] = [
  { ifname: 'vxlan100', bridge: 'br100' },
  { ifname: 'v343a-0', bridge: 'br100' },
  { ifname: 'v51a0-0', bridge: 'br200' },
  { ifname: 'stranger', bridge: 'br100' },
  { ifname: 'eth7', bridge: 'br7' },
  { ifname: 'lo' },
];
