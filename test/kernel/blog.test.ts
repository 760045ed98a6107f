import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { cidr, formatRuleset, type Ruleset } from '../../src/index.ts';
import {
  accept,
  drop,
  ether,
  icmpv6,
  ip,
  ip6,
  jump,
  meta,
  type Statement,
  set,
  table,
  udp,
} from '../../src/model/index.ts';
import { parseHost, parsePolicy, renderFaithful } from '../../src/uncloud/index.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { sortedText } from './comparable.ts';

const vms = [
  { name: 'v343a-0', mac: '02:00:f0:a9:c4:4f', number: '44f', delegated: '1234', ipv4: '10.0.0.1' },
  { name: 'v343b-0', mac: '02:00:f0:a9:c4:50', number: '450', delegated: '1235', ipv4: '10.0.0.2' },
] as const;
const own = (number: string) => `2a0a:e5c1:111:888:0:f0ff:fea9:c${number}`;
const network = (delegated: string) => `2a0a:e5c1:111:${delegated}::/64`;

/** The article's ruleset in nft's syntax, with what leads a frame to the chain of its bridge. */
const article = (dispatch: string) => `
table bridge filter {
  chain prerouting {
    type filter hook prerouting priority 0; policy accept;
    ${dispatch} jump br100
  }
  chain br100 {
    iifname vxlan100 accept
    icmpv6 type nd-router-advert drop
    ip6 version 6 udp sport 547 drop
    ip version 4 udp sport 67 drop
    jump br100_vmlist
    drop
  }
  chain br100_vmlist {
${vms
  .flatMap(({ name, mac, number, delegated, ipv4 }) =>
    [`ip6 saddr ${own(number)}`, `ip6 saddr ${network(delegated)}`, `ip saddr ${ipv4}`].map(
      (source) => `    iifname ${name} ether saddr ${mac} ${source} accept`,
    ),
  )
  .join('\n')}
  }
}`;

/** The same with the builders. */
function built(dispatch: Statement): Ruleset {
  const bridge = table('bridge', 'filter')
    .chain('prerouting', { type: 'filter', hook: 'prerouting', priority: 0, policy: 'accept' })
    .chain('br100')
    .chain('br100_vmlist')
    .rule('prerouting', dispatch, jump('br100'))
    .rule('br100', meta.iifname.eq('vxlan100'), accept())
    .rule('br100', icmpv6.type.eq('nd-router-advert'), drop())
    .rule('br100', ip6.version.eq(6), udp.sport.eq(547), drop())
    .rule('br100', ip.version.eq(4), udp.sport.eq(67), drop())
    .rule('br100', jump('br100_vmlist'))
    .rule('br100', drop());
  for (const { name, mac, number, delegated, ipv4 } of vms) {
    const port = [meta.iifname.eq(name), ether.saddr.eq(mac)];
    bridge
      .rule('br100_vmlist', ...port, ip6.saddr.eq(own(number)), accept())
      .rule('br100_vmlist', ...port, ip6.saddr.eq(cidr(network(delegated))), accept())
      .rule('br100_vmlist', ...port, ip.saddr.eq(ipv4), accept());
  }
  return bridge.toJSON();
}

const ports = ['vxlan100', ...vms.map(({ name }) => name)];
const forms = {
  'by interface': {
    text: `iifname { ${ports.map((port) => `"${port}"`).join(', ')} }`,
    statement: meta.iifname.in(set(...ports)),
    ibrname: false,
    needs: requires('root', 'netns', 'nft'),
  },
  'by bridge name': {
    text: 'meta ibrname br100',
    statement: meta.ibrname.eq('br100'),
    ibrname: true,
    needs: requires('root', 'netns', 'nft', 'ibrname'),
  },
} as const;

/** What the kernel has, as libnftnl prints it: each rule by itself, its elements in the order of their text. */
function bytecode(kernel: Kernel): string[][] {
  return kernel
    .run('nft', ['--debug=netlink', 'list', 'ruleset'])
    .split('\n\n')
    .map((block) => block.split('\n').map((line) => line.trim()))
    .map((lines) => lines.filter((line) => /^(\[|element)/.test(line)).sort(elementsFirst))
    .filter((lines) => lines.length > 0);
}

function elementsFirst(a: string, b: string): number {
  const [isA, isB] = [a, b].map((line) => line.startsWith('element'));
  return isA && isB ? a.localeCompare(b) : Number(isB) - Number(isA);
}

for (const [dispatched, { text, statement, ibrname, needs }] of Object.entries(forms)) {
  suite(`the article's ruleset, dispatched ${dispatched}`, needs, () => {
    const withBoth = (ruleset: Ruleset, work: (ours: Kernel, nfts: Kernel) => Promise<void>) =>
      withKernel((nfts) =>
        withKernel(async (ours) => {
          nfts.load(article(text));
          await ours.nft.commit(ruleset);
          await work(ours, nfts);
        }),
      );

    test('lists as when nft loads it', () =>
      withBoth(built(statement), async (ours, nfts) => {
        const [listed, expected] = [ours.text(), nfts.text()].map(sortedText);
        assert.ok(expected && expected.length > 20);
        assert.deepEqual(listed, expected);
        assert.deepEqual(
          sortedText(formatRuleset(await ours.nft.list()).trimEnd()),
          sortedText(ours.text().trimEnd()),
        );
      }));

    test('is the bytecode that nft makes', () =>
      withBoth(built(statement), async (ours, nfts) => {
        const expected = bytecode(nfts);
        assert.ok(expected.flat().length > 60);
        assert.deepEqual(bytecode(ours), expected);
      }));

    test('uncloud renders the same, rule for rule', () =>
      withBoth(faithful(ibrname), async (ours, nfts) => {
        assert.deepEqual(
          sortedText(ours.text()),
          sortedText(nfts.text()).map((line) => line.replace('table bridge filter', 'table bridge uncloud')),
        );
        assert.deepEqual(bytecode(ours), bytecode(nfts));
      }));
  });
}

function faithful(ibrname: boolean): Ruleset {
  const host = parseHost({ bridges: { br100: { uplinks: ['vxlan100'], shared: true } }, forward: 'accept' });
  const described = vms.map(({ name, mac, number, delegated, ipv4 }) => {
    const nic = {
      ifname: name,
      bridge: 'br100',
      mac,
      ipv4: [`${ipv4}/32`],
      ipv6: [`${own(number)}/128`, network(delegated)],
    };
    return [name.slice(1, 5), { nics: [nic] }] as const;
  });
  const { policy, problems } = parsePolicy({ vms: Object.fromEntries(described) }, { host });
  assert.deepEqual(problems, []);
  return renderFaithful({ host, policy, facts: { ibrname } }).ruleset;
}
