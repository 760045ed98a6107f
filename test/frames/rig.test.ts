import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { suite, test } from 'node:test';
import { BROADCAST, ethernet, type Packet, type Tag, zeros } from '../support/frames/packet/index.ts';
import { PacketSocket } from '../support/frames/packet-socket.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

const one = { br0: { ports: ['a0', 'a1', 'a2'] } };
const macs = { src: '02:00:00:00:00:0a', dst: BROADCAST };
const payload: Packet = { ethertype: 0x9999, bytes: Buffer.from('a payload like no other'.padEnd(80, '.')) };

suite('the rig', requires('root', 'ip', 'bridge', 'veth'), () => {
  test('floods a frame to every port but its own', async () => {
    using rig = await Rig.build(one);
    const { arrivedAt, strays } = rig.deliver('a0', ethernet(macs, payload));
    assert.deepEqual([arrivedAt, strays], [['a1', 'a2'], []]);
  });

  test('sees where a bridge sends what it has learnt', async () => {
    using rig = await Rig.build(one);
    rig.deliver('a0', ethernet(macs, payload));
    assert.deepEqual(rig.learned(), [{ mac: macs.src, port: 'a0' }]);
    const { arrivedAt } = rig.deliver('a1', ethernet({ src: '02:00:00:00:00:0b', dst: macs.src }, payload));
    assert.deepEqual(arrivedAt, ['a0']);
  });

  test('keeps bridges apart', async () => {
    using rig = await Rig.build({ br0: { ports: ['a0', 'a1'] }, br1: { ports: ['b0', 'b1'] } });
    assert.deepEqual(rig.deliver('b0', ethernet(macs, payload)).arrivedAt, ['b1']);
  });

  const stacks: Record<string, Tag[]> = {
    'VID 0': [{ vid: 0 }],
    'VID 0 with a priority': [{ vid: 0, pcp: 5 }],
    'VID 4094': [{ vid: 4094 }],
    '802.1ad': [{ vid: 0, tpid: 0x88a8 }],
    '802.1ad over 802.1Q': [{ vid: 7, tpid: 0x88a8 }, { vid: 0 }],
    'three tags': [{ vid: 1 }, { vid: 2 }, { vid: 3 }],
    'a tag that Linux does not know': [{ vid: 0, tpid: 0x9100 }],
  };
  for (const [name, tags] of Object.entries(stacks)) {
    test(`shows tags as they were sent: ${name}`, async () => {
      using rig = await Rig.build(one);
      const { arrivedAt, strays } = rig.deliver('a0', ethernet(macs, payload, tags));
      assert.deepEqual([arrivedAt, strays], [['a1', 'a2'], []]);
    });
  }

  test('tells a changed frame from the one that was sent', async () => {
    using rig = await Rig.build(one);
    const changed = ethernet(macs, payload, [{ vid: 1 }]);
    using sender = new PacketSocket(rig.netns, 'a1', 'send');
    sender.send(changed);
    const { arrivedAt, strays } = rig.deliver('a0', ethernet(macs, payload));
    assert.deepEqual(arrivedAt, ['a1', 'a2']);
    assert.deepEqual(strays, [{ port: 'a1', frame: changed }]);
  });

  test('loses no frame and none of its order among a thousand', async () => {
    using rig = await Rig.build(one);
    for (let number = 0; number < 1000; number++) {
      const frame = ethernet(macs, { ethertype: 0x9999, bytes: Buffer.alloc(60, number.toString()) });
      const { arrivedAt, strays } = rig.deliver('a0', frame);
      assert.deepEqual([arrivedAt, strays], [['a1', 'a2'], []]);
    }
  });

  test('sends nothing of its own', async () => {
    using rig = await Rig.build(one);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(rig.deliver('a0', ethernet(macs, payload)).strays, []);
  });

  test('says which port is not there, down, or misnamed', async () => {
    using rig = await Rig.build(one);
    assert.throws(() => rig.deliver('a9', zeros(60)), /no port a9/);
    assert.throws(() => new PacketSocket(rig.netns, 'a9'), /interface a9: No such device/);
    assert.throws(
      () => new PacketSocket(rig.netns, 'sixteen-letters-'),
      /sixteen-letters-: File name too long/,
    );
    assert.throws(
      () => new PacketSocket('/proc/self/ns/none', 'a0'),
      /open \/proc\/self\/ns\/none: No such file/,
    );
    rig.run('ip', ['link', 'set', 'a0', 'down']);
    assert.throws(() => rig.deliver('a0', zeros(60)), /nothing can be sent from a0/);
  });

  test('leaves nothing behind, also when it cannot be built', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for (let round = 0; round < 3; round++) {
      const rig = await Rig.build(one);
      rig.close();
      rig.close();
      assert.throws(() => rig.netns, /closed/);
    }
    await assert.rejects(Rig.build({ br0: { ports: ['same', 'same'] } }), /ip -batch/);
    assert.equal(descriptors(), before);
  });
});
