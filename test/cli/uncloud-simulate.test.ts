import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { framesOf, parseHost, parsePolicy, simulate } from '../../src/uncloud/index.ts';
import { nftjs, withFiles } from '../support/cli.ts';
import { catalogue } from '../support/frames/catalogue/index.ts';
import { alice, host, policy, router, stranger } from '../support/frames/network.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'netns', 'ip', 'bridge', 'veth', 'vxlan');

/** One row of the catalogue by its place and name. */
function row(section: string, name: string) {
  const found = catalogue.find(({ title }) => title === section)?.rows.find((each) => each.name === name);
  assert.ok(found, `no row ${name}`);
  return found;
}

const reply = row('ARP', "reply with the neighbour's MAC");
const request = row('ARP', 'request');

function withPolicy<T>(
  work: (options: string[], write: (name: string, content: string) => string) => Promise<T>,
): Promise<T> {
  return withFiles((write) =>
    work(
      ['uncloud', 'simulate', '--host', write('host.json', host), '--policy', write('policy.json', policy)],
      write,
    ),
  );
}

function capture(frames: readonly Uint8Array[], isBig = false, linkType = 1): Buffer {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (isBig) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  const version = isBig ? Buffer.of(0, 2, 0, 4) : Buffer.of(2, 0, 4, 0);
  const head = [number(0xa1b2c3d4), version, number(0), number(0), number(65535), number(linkType)];
  const packets = frames.flatMap((frame) => [
    number(1),
    number(2),
    number(frame.length),
    number(frame.length),
    frame,
  ]);
  return Buffer.concat([...head, ...packets]);
}

suite('nftjs uncloud simulate', needs, () => {
  test('tells the verdict, whom the frame reaches, and the rule', () =>
    withPolicy(async (options) => {
      const { code, out, err } = await nftjs([
        ...options,
        '--port',
        alice.port,
        '--frame',
        request.frame.toString('hex'),
      ]);
      assert.deepEqual([code, err], [0, '']);
      assert.match(
        out,
        /^accept, by bridge uncloud vm_arp_sender: .*arp saddr ether .*\n {2}to v343b-0, vxlan100, this host\n$/,
      );
    }));

  test('tells the policy and the chain that were the end of a frame, and each step on request', () =>
    withPolicy(async (options) => {
      const hex = reply.frame.toString('hex').replace(/(..)/g, '$1:').slice(0, -1);
      const { out } = await nftjs([...options, '--port', alice.port, '--frame', hex, '--steps']);
      assert.match(out, /^drop, by bridge uncloud prerouting, after vm_arp_sender: iifname @ports drop\n/);
      assert.match(out, /^ {2}bridge uncloud vm: .* -> goto vm_arp$/m);
    }));

  test('tells a bridge that drops by itself, a port that nobody lists, and a MAC that is behind another port', () =>
    withPolicy(async (options) => {
      const byItself = row('Source MAC', 'a group as source').frame.toString('hex');
      assert.equal(
        (await nftjs([...options, '--port', alice.port, '--frame', byItself])).out,
        'drop, by the bridge itself\n',
      );
      const frame = request.frame.toString('hex');
      const unlisted = ['--port', stranger.port, '--frame', frame];
      const missing = await nftjs([...options, ...unlisted]);
      assert.deepEqual([missing.code, missing.out], [1, '']);
      assert.match(missing.err, /nobody lists vdead-0: say which bridge/);
      const { out } = await nftjs([...options, ...unlisted, '--bridge', 'br100']);
      assert.match(out, /^drop, by bridge uncloud prerouting: iifname vmap @dispatch$/m);
      const elsewhere = row('To the VM', 'to a MAC that nobody knows, from the uplink').frame.toString('hex');
      const flooded = await nftjs([...options, '--port', router.port, '--frame', elsewhere]);
      assert.match(
        flooded.out,
        /^drop, by bridge uncloud postrouting: .*\n {2}not to v343a-0, by bridge uncloud postrouting: .*drop\n/,
      );
    }));

  test('reads captures, and prints JSON', () =>
    withPolicy(async (options, write) => {
      const path = write('x.pcap', '');
      for (const isBig of [false, true]) {
        writeFileSync(path, capture([request.frame, reply.frame], isBig));
        const { out } = await nftjs([...options, '--port', alice.port, '--pcap', path, '--json']);
        const [first, second] = out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        assert.deepEqual(
          [first.verdict, first.reaches, first.by.chain],
          ['accept', ['v343b-0', 'vxlan100'], 'vm_arp_sender'],
        );
        assert.deepEqual([second.verdict, second.reaches, second.by.after], ['drop', [], 'vm_arp_sender']);
        assert.ok(second.steps.length > 2);
      }
    }));

  test('gives the verdicts of the frame tests, of all their frames', async () => {
    const described = parseHost(host);
    const { policy: valid } = parsePolicy(policy, { host: described });
    const rows = catalogue.flatMap(({ rows }) => rows).filter(({ from }) => from === alice.port);
    // The laboratory's time goes by the frame: every seventh is enough, and another one each seed.
    const some = rows.filter((_, index) => index % 7 === 0);
    const results = await simulate({
      host: described,
      policy: valid,
      port: alice.port,
      frames: some.map(({ frame }) => frame),
    });
    assert.deepEqual(
      results.map(({ reaches }, index) => [some[index]?.name, reaches]),
      some.map(({ name, reaches }) => [name, [...reaches].sort()]),
    );
  });

  test('leaves nothing behind, also when it fails', async () => {
    const described = parseHost(host);
    const { policy: valid } = parsePolicy(policy, { host: described });
    const input = { host: described, policy: valid, port: alice.port };
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const children = () =>
      execFileSync('sh', ['-c', `cat /proc/${process.pid}/task/*/children`], { encoding: 'utf8' })
        .trim()
        .split(/\s+/).length;
    const before = [descriptors(), children()];
    await simulate({ ...input, frames: [request.frame] });
    await assert.rejects(simulate({ ...input, frames: [Buffer.alloc(13)] }), /frame 1 has 13 bytes/);
    const long = {
      ...described,
      bridges: {
        ...described.bridges,
        br100: { ...described.bridges.br100!, uplinks: ['a-name-that-is-too-long'] },
      },
    };
    await assert.rejects(
      simulate({ ...input, host: long, frames: [request.frame] }),
      /cannot be built: .*Command failed/s,
    );
    assert.deepEqual([descriptors(), children()], before);
  });
});

test('a command line that is wrong is exit code 2', () =>
  withPolicy(async (options) => {
    for (const rest of [
      [],
      ['--port', 'x'],
      ['--port', 'x', '--frame', 'xyz'],
      ['--port', 'x', '--frame', '00', '--pcap', 'y'],
    ]) {
      const { code, out, err } = await nftjs([...options, ...rest]);
      assert.deepEqual([code, out], [2, ''], err);
    }
  }));

test('captures that cannot be read say why', () => {
  const [frame] = framesOf(capture([request.frame]));
  assert.deepEqual(frame, request.frame);
  const whole = capture([request.frame]);
  assert.throws(() => framesOf(Buffer.alloc(10)), /too short/);
  assert.throws(() => framesOf(Buffer.alloc(40)), /not a capture file/);
  assert.throws(() => framesOf(Buffer.concat([Buffer.from('0a0d0d0a', 'hex'), Buffer.alloc(40)])), /pcapng/);
  assert.throws(() => framesOf(capture([], false, 113)), /not Ethernet/);
  assert.throws(() => framesOf(whole.subarray(0, -1)), /packet 1 is cut off/);
  assert.throws(() => framesOf(whole.subarray(0, 30)), /packet 1 is cut off/);
  const snapped = Buffer.from(whole);
  snapped.writeUInt32LE(1500, 24 + 12);
  assert.throws(() => framesOf(snapped), /packet 1 is cut off/);
});
