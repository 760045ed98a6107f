import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as nft from '../../../src/model/index.ts';
import { requires } from '../../support/requirements.ts';
import { checkWithNft } from './nft-check.ts';

const { ip, ip6, tcp, udp, ether, arp, meta, ct, table } = nft;

/** Rulesets made by builders, each of which nft must take. */
const rulesets: Record<string, () => nft.TableBuilder<never>> = {
  'port security with shared chains and concatenated sets': () =>
    table('bridge', 'ports')
      .set('macs', { type: ['ifname', 'ether_addr'], size: 64, elements: [['v0', '02:00:f0:a9:c4:4f']] })
      .set('ips6', {
        type: ['ifname', 'ether_addr', 'ipv6_addr'],
        size: 64,
        elements: [['v0', '02:00:f0:a9:c4:4f', '2001:db8::']],
      })
      .map('ports', { type: 'ifname', map: 'verdict', elements: [['v0', nft.goto('port')]] })
      .chain('prerouting', { type: 'filter', hook: 'prerouting', priority: -300, policy: 'drop' })
      .chain('port', { comment: 'one for all' })
      .rule('prerouting', meta.iifname.vmap('@ports'), nft.comment('dispatch'))
      .rule('port', ether.type.notIn(nft.set('ip', 'ip6', 'arp', 0x8035)), nft.drop())
      .rule('port', nft.concat(meta.iifname, ether.saddr).notIn('@macs'), nft.counter(), nft.drop())
      .rule(
        'port',
        nft.concat(meta.iifname, ether.saddr, nft.and(ip6.saddr, 'ffff:ffff::')).in('@ips6'),
        nft.accept(),
      )
      .rule('port', arp.operation.eq('request'), arp['saddr ip'].eq('0.0.0.0'), nft.accept())
      .rule('port', nft.exthdr('frag', 'frag-off').ne(0), nft.accept())
      .rule('port', nft.limit({ rate: 5, per: 'second' }), nft.log({ prefix: 'spoofed ', level: 'info' })),
  'intervals, timeouts, comments and maps': () =>
    table('inet', 'sets', { comment: 'all kinds' })
      .set('nets', {
        type: 'ipv4_addr',
        flags: ['interval'],
        autoMerge: true,
        elements: [nft.cidr('10.0.0.0/8'), nft.range('192.0.2.1', '192.0.2.9'), '198.51.100.1'],
      })
      // nft 1.0.6 does not read the flag `dynamic` in JSON; it adds the flag itself for the rule below.
      .set('seen', { type: 'ipv4_addr', flags: ['timeout'], timeout: 60, size: 1000 })
      .set('expiring', {
        type: 'inet_service',
        flags: ['timeout'],
        gcInterval: 10,
        elements: [nft.element(22, { timeout: 3600, comment: 'ssh' })],
      })
      .set('pairs', {
        type: ['ipv4_addr', 'inet_service'],
        flags: ['interval'],
        elements: [[nft.cidr('10.0.0.0/8'), nft.range(1, 1023)]],
      })
      .map('marks', { type: 'ipv4_addr', map: 'mark', elements: [['192.0.2.1', 1]] })
      .chain('in', { type: 'filter', hook: 'input', priority: 'filter - 5' })
      .rule('in', ip.saddr.in('@nets'), tcp.dport.in('@expiring'), nft.accept())
      .rule('in', nft.concat(ip.saddr, tcp.dport).in('@pairs'), nft.counter({ packets: 1n, bytes: 2 ** 53 }))
      .rule('in', meta.mark.set(ip.saddr.map('@marks')))
      .rule('in', nft.dynset.update('@seen', ip.saddr, { timeout: 5 }))
      .rule('in', udp.dport.in(nft.set(53, nft.range(100, 200))), nft.drop())
      .rule(
        'in',
        tcp.dport.vmap([
          [22, nft.accept()],
          [nft.range(80, 90), nft.drop()],
        ]),
      ),
  'operators, raw payload, flags and rejects': () =>
    table('inet', 'words')
      .chain('in', { type: 'filter', hook: 'input', priority: 0 })
      .rule('in', nft.and(tcp.flags, nft.or('syn', 'ack')).eq('syn'))
      .rule('in', nft.payload.raw('th', 16, 16).eq(22))
      .rule('in', meta.mark.set(nft.or(nft.and(meta.mark, 0xff), 0x100)))
      .rule('in', ip.dscp.eq('ef'))
      .rule('in', ip6.hoplimit.lt(255))
      .rule('in', nft.tcpOption('maxseg').exists())
      .rule('in', meta.l4proto.eq('tcp'), nft.reject({ type: 'tcp reset' }))
      .rule('in', nft.reject({ type: 'icmpx', expr: 'admin-prohibited' }))
      .rule('in', meta.cpu.eq(nft.range(0, 3)), nft.return_()),
  'objects and references': () =>
    table('ip', 'objects')
      .object('counter', 'web')
      .object('quota', 'day', { bytes: 1_000_000 })
      .object('limit', 'slow', { rate: 10, per: 'minute', burst: 5 })
      .chain('in', { type: 'filter', hook: 'input', priority: 'raw' })
      .rule('in', nft.counter('web'), nft.quota('day'), nft.limit('slow'), nft.drop()),
};

for (const [what, build] of Object.entries(rulesets)) {
  test(`nft takes ${what}`, requires('root', 'netns', 'nft'), () => checkWithNft(build()));
}

test('nft takes connection tracking and nat', requires('root', 'netns', 'nft', 'conntrack', 'nat'), () => {
  checkWithNft(
    table('ip', 'nat')
      .chain('pre', { type: 'nat', hook: 'prerouting', priority: 'dstnat' })
      .chain('post', { type: 'nat', hook: 'postrouting', priority: 'srcnat' })
      .rule('pre', tcp.dport.eq(80), nft.dnat({ addr: '192.0.2.1', port: 8080 }))
      .rule('pre', ct.state.in('new'), nft.dnat({ addr: ip.saddr.map([['192.0.2.1', '192.0.2.2']]) }))
      .rule('post', ct.original['ip saddr'].eq('10.0.0.1'), nft.masquerade({ flags: ['random'] })),
  );
});

describe('the oracle itself', requires('root', 'netns', 'nft'), () => {
  test('refuses what no kernel takes', () => {
    const wrong = table('ip', 't').rule('nowhere', nft.accept());
    assert.throws(() => checkWithNft(wrong), /No such file or directory/);
  });
});
