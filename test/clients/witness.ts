import type { Command, Connection } from '../../src/index.ts';
import type { Machine } from '../support/frames/network.ts';

/** Where the firewall's chains are: a chain of ours goes before them, and one behind. */
const hooks = [
  { family: 'netdev', hook: 'ingress', before: -510, behind: -490, to: false },
  { family: 'bridge', hook: 'prerouting', before: -310, behind: -100, to: false },
  { family: 'bridge', hook: 'forward', before: -210, behind: -190, to: false },
  { family: 'bridge', hook: 'postrouting', before: 280, behind: 310, to: true },
] as const;

/**
 * Counts what VMs send, and what goes to them, in front of every chain of the firewall and behind it: what is
 * missing behind was dropped. A unicast frame for somebody else's MAC is none of theirs, and not counted.
 */
export class Witness {
  readonly #nft: Connection;

  /** Starts to count at the ports of these. */
  static async of(nft: Connection, machines: readonly Machine[]): Promise<Witness> {
    const commands: Command[] = [];
    for (const family of ['netdev', 'bridge'] as const)
      commands.push({ add: { table: { family, name: 'witness' } } });
    for (const { family, hook, to, ...prios } of hooks) {
      for (const when of ['before', 'behind'] as const) {
        const place = { family, table: 'witness' } as const;
        const name = `${hook}_${when}`;
        const dev = family === 'netdev' ? { dev: machines.map(({ port }) => port) } : {};
        const chain = { ...place, name, type: 'filter', hook, prio: prios[when], policy: 'accept', ...dev };
        commands.push({ add: { chain: chain as never } });
        for (const { port, mac } of machines) {
          const counter = `${port}_${name}`;
          const isAt = match({ meta: { key: to ? 'oifname' : 'iifname' } }, port);
          const daddr = { payload: { protocol: 'ether', field: 'daddr' } };
          const group = match({ '&': [daddr, '01:00:00:00:00:00'] }, '01:00:00:00:00:00');
          commands.push({ add: { counter: { ...place, name: counter } } });
          for (const whose of to ? [[match(daddr, mac)], [group]] : [[]]) {
            const expr = [isAt, ...whose, { counter }];
            commands.push({ add: { rule: { ...place, chain: name, expr: expr as never } } });
          }
        }
      }
    }
    await nft.commit(commands);
    return new Witness(nft);
  }

  private constructor(nft: Connection) {
    this.#nft = nft;
  }

  /** Where frames were dropped, and how many; frames on their way are waited for. */
  async dropped(): Promise<Record<string, number>> {
    for (let tries = 0; ; tries++) {
      const counters = await this.#counters();
      const missing: Record<string, number> = {};
      for (const [name, packets] of counters) {
        const behind = counters.get(name.replace('_before', '_behind')) ?? 0;
        if (packets !== behind) missing[name.replace('_before', '')] = packets - behind;
      }
      if (Object.keys(missing).length === 0 || tries === 5) return missing;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** How many frames were seen in front of the firewall, from VMs and to them. */
  async seen(): Promise<number> {
    const counters = await this.#counters();
    return [...counters].reduce((sum, [name, packets]) => sum + (name.endsWith('before') ? packets : 0), 0);
  }

  async #counters(): Promise<Map<string, number>> {
    const counters = new Map<string, number>();
    for (const family of ['netdev', 'bridge'] as const) {
      const { nftables } = await this.#nft.list({ family, table: 'witness' });
      for (const element of nftables)
        if ('counter' in element) counters.set(element.counter.name, Number(element.counter.packets));
    }
    return counters;
  }
}

function match(left: object, right: string): object {
  return { match: { op: '==', left, right } };
}
