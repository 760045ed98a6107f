import type { Command, Expression, RulesetElement, Statement } from '../../src/index.ts';
import { nftjs, uncloud } from '../library.ts';
import { BRIDGE, UPLINK } from './bridge.ts';
import type { BenchVm } from './vms.ts';

/** One way to keep VMs to their own addresses: commands for a set of VMs. */
export interface Design {
  /** The most VMs it is measured with: more would take a day to load, or a second a packet. */
  readonly most: number;
  commands(vms: readonly BenchVm[]): Promise<readonly Command[]>;
}

const { accept, concat, drop, ether, goto, ip6, meta, set } = nftjs;
const FAMILY = 'bridge';
const TABLE = 'bench';

const own = concat(meta.iifname, ether.saddr, ip6.saddr);
const prefix = (block: string): Expression => {
  const [addr = '', len] = block.split('/');
  return len === '128' ? addr : { prefix: { addr, len: Number(len) } };
};

function rule(chain: string, ...expr: readonly Statement[]): RulesetElement {
  return { rule: { family: FAMILY, table: TABLE, chain, expr } };
}

/** A base chain in the bridge's prerouting that lets the uplink through, and what else there is. */
function table(...elements: readonly RulesetElement[]): Command[] {
  const base = { type: 'filter', hook: 'prerouting', prio: -300, policy: 'drop' } as const;
  return [
    { table: { family: FAMILY, name: TABLE } },
    { chain: { family: FAMILY, table: TABLE, name: 'c', ...base } } as RulesetElement,
    ...elements,
  ].map((add) => ({ add }) as Command);
}

const uplink = rule('c', meta.iifname.eq(UPLINK), accept());

/** Every way, by the name that the report has for it. */
export const designs = {
  unfiltered: { most: Number.POSITIVE_INFINITY, commands: async () => [] },
  'rule a VM': {
    most: 1000,
    commands: async (vms) =>
      table(
        uplink,
        ...vms.map((vm) =>
          rule(
            'c',
            meta.iifname.eq(vm.ifname),
            ether.saddr.eq(vm.mac),
            ip6.saddr.eq(set(...vm.blocks.map(prefix)) as never),
            accept(),
          ),
        ),
      ),
  },
  'chain a VM': {
    most: 10_000,
    commands: async (vms) =>
      table(
        ...vms.flatMap((vm): RulesetElement[] => [
          { chain: { family: FAMILY, table: TABLE, name: vm.ifname } },
          rule(vm.ifname, ether.saddr.ne(vm.mac), drop()),
          rule(vm.ifname, ip6.saddr.eq(set(...vm.blocks.map(prefix)) as never), accept()),
          rule(vm.ifname, drop()),
        ]),
        uplink,
        rule('c', meta.iifname.vmap(vms.map((vm) => [vm.ifname, goto(vm.ifname)] as never))),
      ),
  },
  'interval concatenation': {
    most: 100_000,
    commands: async (vms) =>
      table(
        {
          set: {
            family: FAMILY,
            table: TABLE,
            name: 's',
            type: ['ifname', 'ether_addr', 'ipv6_addr'],
            flags: ['interval'],
            elem: vms.flatMap((vm) =>
              vm.blocks.map((block) => ({ concat: [vm.ifname, vm.mac, narrowed(block)] })),
            ),
          },
        } as unknown as RulesetElement,
        uplink,
        rule('c', own.eq('@s' as never), accept()),
      ),
  },
  nftjs: {
    most: Number.POSITIVE_INFINITY,
    async commands(vms) {
      const host = uncloud.parseHost({ bridges: { [BRIDGE]: { uplinks: [UPLINK], shared: true } } });
      const records = vms.map(({ ifname, mac, blocks }, i) => [
        `vm${i}`,
        { nics: [{ ifname, bridge: BRIDGE, mac, ipv4: [], ipv6: blocks }] },
      ]);
      const { policy, problems } = uncloud.parsePolicy({ vms: Object.fromEntries(records) }, { host });
      if (problems[0]) throw new Error(`${problems[0].key}${problems[0].path}: ${problems[0].why}`);
      using nft = nftjs.connect();
      const facts = await uncloud.factsOf(nft);
      return uncloud.render({ host, policy, facts }).ruleset.nftables as readonly Command[];
    },
  },
} as const satisfies Record<string, Design>;

export type DesignName = keyof typeof designs;

/** A single address would make a plain set of it: a /124 around it has as many. */
function narrowed(block: string): Expression {
  const [addr = '', len] = block.split('/');
  const wide = { prefix: { addr, len: Math.min(Number(len), 124) } };
  return wide.prefix.len === 124 ? { prefix: { addr: `${addr.slice(0, -1)}0`, len: 124 } } : wide;
}
