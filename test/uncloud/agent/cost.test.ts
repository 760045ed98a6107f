import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, connect } from '../../../src/index.ts';
import { Agent, MemoryStore, parseHost } from '../../../src/uncloud/index.ts';
import { summary } from '../../simulation/latency.ts';
import { BRIDGE, PREFIX, recordOf, type Vm, vmOf } from '../../simulation/vm.ts';
import { Namespace } from '../../support/frames/namespace.ts';
import { requires } from '../../support/requirements.ts';

/** How many VMs there are: NFTJS_SCALE=100000 NFTJS_TALLY=1 node --expose-gc … shows what docs/scale.md says. */
const VMS = Number(process.env.NFTJS_SCALE ?? 5000);
const CHANGES = 30;
const MOST_BYTES = 10 * 1024;

/** A connection that counts what its commits send, and notes when each was done. */
function counted(nft: Connection) {
  let bytes = 0;
  const done: number[] = [];
  const commit: Connection['commit'] = async (...given) => {
    const result = await nft.commit(...given);
    bytes += result.bytes;
    done.push(performance.now());
    return result;
  };
  const proxy = new Proxy(nft, {
    get(target, name) {
      if (name === 'commit') return commit;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { nft: proxy, sent: () => bytes, done };
}

/** More than vmOf tells apart. */
const many = (n: number): Vm => ({
  ...vmOf(n, 0, []),
  mac: `02:00:${[n >> 24, n >> 16, n >> 8, n].map((part) => (part & 255).toString(16).padStart(2, '0')).join(':')}`,
  ipv4: `10.${[n >> 16, n >> 8, n].map((part) => part & 255).join('.')}`,
  ipv6: `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`,
});

suite('what an agent costs', requires('root', 'netns', 'ip', 'nft'), () => {
  test(`one VM or port that changes among ${VMS} is under 10 KiB to the kernel`, {
    timeout: 120_000 + VMS * 20,
  }, async () => {
    using namespace = new Namespace();
    await using connection = connect({ netns: namespace.path });
    const { nft, sent, done } = counted(connection);
    await using store = new MemoryStore();
    const vms = Array.from({ length: VMS }, (_, n) => many(n + 1));
    let bytes = 0;
    for (const vm of vms) {
      // Plain text without a neighbour's memory behind it.
      const value = recordOf(vm);
      bytes += value.length;
      await store.put(`${PREFIX}vm/${vm.id}`, value);
    }
    globalThis.gc?.();
    const before = process.memoryUsage();
    const host = parseHost({ bridges: { [BRIDGE]: { uplinks: ['up0'] } }, sets: 'named' });
    const ending = new AbortController();
    const agent = new Agent({ name: 'here', host, store, nft });
    const start = performance.now();
    const running = agent.run(ending.signal).catch((error) => ending.signal.aborted || Promise.reject(error));
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await Promise.race([pause(2), running]);
    };
    try {
      await until(() => agent.state.vms === VMS);
      const whole = { milliseconds: performance.now() - start, bytes: sent() };
      assert.deepEqual(agent.state.leftOut, []);
      globalThis.gc?.();
      const after = process.memoryUsage();
      const sizes: number[] = [];
      const times: number[] = [];
      for (let change = 0; change < CHANGES; change++) {
        const vm = vms[(change * 7919) % VMS] as Vm;
        vm.extra = [`100.64.0.${change}`];
        const [was, begun] = [sent(), performance.now()];
        const revision = await store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
        await until(() => agent.state.revision >= revision);
        times.push(performance.now() - begun);
        sizes.push(sent() - was);
      }
      const sentBy = async (work: () => void) => {
        const { transactions } = agent.state;
        const [was, begun] = [sent(), performance.now()];
        work();
        await until(() => agent.state.transactions > transactions);
        const first = (done.find((at) => at > begun) ?? Number.NaN) - begun;
        return { first, milliseconds: performance.now() - begun, bytes: sent() - was };
      };
      const link = (...args: string[]) => namespace.run('ip', ['link', ...args]);
      const came = await sentBy(() => link('add', (vms[0] as Vm).ifname, 'type', 'bridge'));
      const went = await sentBy(() => link('del', (vms[0] as Vm).ifname));
      const healed = await sentBy(() => namespace.run('nft', ['flush', 'ruleset']));
      if (process.env.NFTJS_TALLY)
        console.log({
          record: bytes / VMS,
          whole,
          heap: (after.heapUsed - before.heapUsed) / VMS,
          rss: after.rss,
          bytes: summary(sizes),
          milliseconds: summary(times),
          port: { came, went },
          healed,
        });
      assert.ok(Math.min(...sizes) > 0, 'a change is sent');
      assert.ok(Math.max(...sizes) < MOST_BYTES, `${Math.max(...sizes)} bytes`);
      for (const { bytes } of [came, went])
        assert.ok(bytes > 0 && bytes < MOST_BYTES, `${bytes} bytes for a port`);
      assert.ok(healed.bytes > VMS * 100, 'all of it is put back');
    } finally {
      ending.abort(new Error('enough'));
      await running;
    }
  });
});
