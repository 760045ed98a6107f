import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { apply, factsOf, parseHost, parsePolicy } from '../../src/uncloud/index.ts';
import { ethernet, ipv4, ipv6, udp, zeros } from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

const ends = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };
const talk = udp(5000, 5001, zeros(64));
const frames = [
  ethernet(ends, ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, talk)),
  ethernet(ends, ipv6({ src: '2001:db8::1', dst: '2001:db8::2' }, talk)),
];
const plan = { br0: { ports: ['v0', 'up0'] }, br9: { ports: ['p0', 'p1'] } };

suite('with br_netfilter', requires('root', 'ip', 'bridge', 'veth'), () => {
  test('bridged frames of bridges that are not ours pass a forward deny', async (t) => {
    using rig = await Rig.build(plan);
    rig.forget();
    const settings = ['iptables', 'ip6tables'].map((name) => `/proc/sys/net/bridge/bridge-nf-call-${name}`);
    const there = rig.run('sh', ['-c', `cat ${settings.join(' ')} 2>/dev/null || true`]);
    if (there === '') return t.skip('this kernel has no br_netfilter');
    rig.run('sh', ['-ec', settings.map((file) => `echo 1 > ${file}`).join('\n')]);
    using nft = connect({ netns: rig.netns });
    await nft.commit([
      { add: { table: { family: 'inet', name: 'probe' } } },
      {
        add: {
          chain: {
            family: 'inet',
            table: 'probe',
            name: 'c',
            type: 'filter',
            hook: 'forward',
            prio: 0,
            policy: 'drop',
          },
        },
      },
    ]);
    for (const frame of frames)
      assert.deepEqual(rig.deliver('p0', frame).arrivedAt, [], 'br_netfilter is not at work');
    await nft.commit([{ delete: { table: { family: 'inet', name: 'probe' } } }]);

    const host = parseHost({ bridges: { br0: { uplinks: ['up0'] } }, forward: 'deny' });
    const { policy } = parsePolicy({}, { host });
    await apply(nft, { host, policy, facts: await factsOf(nft) });
    for (const frame of frames) {
      assert.deepEqual(rig.deliver('p0', frame).arrivedAt, ['p1']);
      assert.deepEqual(rig.deliver('v0', frame).arrivedAt, [], 'a port that no VM lists');
    }
  });
});
