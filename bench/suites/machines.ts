import { count, ifname, ipv4, ipv6, mac } from '../addresses.ts';
import { bulkDrivers } from '../drivers/index.ts';
import { nftjs, uncloud } from '../library.ts';
import { median, repeat } from '../measure.ts';
import { type Case, type Suite, sizes } from '../suite.ts';
import { flushRuleset } from '../verify.ts';

/** The records of so many VMs with one port each, as a store would give them. */
function policy(size: number): unknown {
  const vms = count(size, (i) => [
    `vm${i}`,
    {
      nics: [
        {
          ifname: ifname(i),
          bridge: 'br100',
          mac: mac(i),
          ipv4: [`${ipv4(i + 1)}/32`],
          ipv6: [`${ipv6(i)}/128`],
        },
      ],
    },
  ]);
  return { vms: Object.fromEntries(vms) };
}

function firewall(size: number): Case {
  return {
    name: 'port security',
    size,
    drivers: bulkDrivers,
    async run(session) {
      const records = policy(size);
      const host = uncloud.parseHost({
        bridges: { br100: { uplinks: ['vxlan100'], shared: true } },
        forward: 'deny',
        sets: 'anonymous',
      });
      const render = () => {
        const { policy, problems } = uncloud.parsePolicy(records, { host });
        if (problems[0]) throw new Error(`${problems[0].key}${problems[0].path}: ${problems[0].why}`);
        return uncloud.render({ host, policy }).ruleset;
      };
      const apply = session.prepare({
        setup: [],
        commands: () => render().nftables as never,
        // What it deletes first is not there, and has no place in a listing.
        text: () =>
          nftjs.formatRuleset({
            nftables: render().nftables.flatMap((command) => ('add' in command ? [command.add] : [])),
          }),
      });
      const seconds = await repeat({ warm: 1, measured: 3 }, apply, flushRuleset);
      return [{ metric: 'a VM', unit: 'µs', value: (median(seconds) / size) * 1e6 }];
    },
  };
}

export const machines: Suite = {
  quick: false,
  about: 'uncloud: from the records of VMs to their firewall in force (nftjs renders, the others load)',
  cases: (scale) => sizes(scale, [1000], [10_000], []).map(firewall),
};
