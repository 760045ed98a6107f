import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Command, connect } from '../../src/index.ts';
import { apply, Firewall, factsOf, parseHost } from '../../src/uncloud/index.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { requires } from '../support/requirements.ts';

/** NFTJS_SCALE=100000 NFTJS_TALLY=1 shows what a change among so many costs. */
const VMS = Number(process.env.NFTJS_SCALE ?? 10_000);
const CHANGES = 300;

const hex = (n: number) => (n & 255).toString(16).padStart(2, '0');
const bytes = (n: number) => [n >> 16, n >> 8, n] as const;

/** The record of one of many VMs: an address, a network delegated to it, and a port on the shared bridge. */
function record(n: number, ip = n) {
  const [a, b, c] = bytes(ip);
  const nic = {
    ifname: `v${n}`,
    bridge: 'br100',
    mac: `02:00:00:${bytes(n).map(hex).join(':')}`,
    ipv4: [`10.${a & 255}.${b & 255}.${c & 255}/32`],
    ipv6: [`2001:db8:${((ip >> 15) + 1).toString(16)}:${((ip & 0x7fff) + 1).toString(16)}::1/128`],
  };
  return { nics: [nic] };
}

const vmsOf = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`vm${n}`, record(n)]));

/** What commands do: verb and set, and how many elements. */
const summary = (commands: readonly Command[]): string[] =>
  commands.map((command) => {
    const [[verb, what]] = Object.entries(command) as [
      [string, { element?: { name: string; elem: unknown[] } }],
    ];
    return `${verb} ${what.element?.name} ${what.element?.elem.length}`;
  });

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

suite('many VMs', requires('root', 'netns'), () => {
  const host = parseHost({ bridges: { br100: { uplinks: ['vxlan100'] } }, sets: 'named' });

  test(`${VMS} are one transaction, and one that changes is a few elements`, {
    timeout: 300_000,
  }, async () => {
    using namespace = new Namespace();
    await using nft = connect({ netns: namespace.path });
    const facts = await factsOf(nft);
    const empty = await nft.generation();
    const started = performance.now();
    const firewall = new Firewall({ host, policy: { vms: vmsOf(VMS) }, facts });
    assert.deepEqual(firewall.problems, []);
    const whole = await apply(nft, firewall.rendering());
    const took = performance.now() - started;
    assert.equal(await nft.generation(), empty + 1, 'more than one transaction');
    const { nftables } = await nft.list({ family: 'bridge', table: 'uncloud', set: 'ip_32' });
    const [set] = nftables.flatMap((element) => ('set' in element ? [element.set] : []));
    assert.equal((set?.elem as unknown[] | undefined)?.length, VMS);
    assert.ok(whole.changed);

    const costs: number[] = [];
    const shapes = new Set<string>();
    for (let change = 0; change < CHANGES; change++) {
      const n = (change * 7919) % VMS;
      const records = { [`vm${n}`]: record(n, 0xf00000 + change) };
      const start = performance.now();
      const { commands, problems } = firewall.change(records);
      nft.commitSync(commands);
      costs.push(performance.now() - start);
      assert.deepEqual(problems, []);
      shapes.add(summary(commands).join());
    }
    assert.equal(await nft.generation(), empty + 1 + CHANGES);
    // The same few elements, whoever it is and however many others there are.
    assert.equal(shapes.size, 1);
    assert.deepEqual(shapes, new Set([summary(small()).join()]));
    assert.deepEqual((await apply(nft, firewall.rendering())).transaction.nftables, []);
    if (process.env.NFTJS_TALLY)
      console.log({ vms: VMS, wholeInMilliseconds: took, changeInMilliseconds: median(costs) });
  });

  /** The same change where there are ten VMs. */
  function small(): readonly Command[] {
    const firewall = new Firewall({ host, policy: { vms: vmsOf(10) } });
    return firewall.change({ vm3: record(3, 0xf00000) }).commands;
  }
});
