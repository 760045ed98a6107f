import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { etcdServer } from './etcd.ts';
import { sshServer } from './sshd.ts';
import { canBoot } from './systemd.ts';

const VECTORS =
  process.env.NFTJS_VECTORS ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** Something a test needs of the machine it runs on. */
interface Requirement {
  /** What is missing, as a sentence. */
  readonly missing: string;
  /**
   * Who can supply it: whoever sets the machine up, a kernel with more in it, a newer kernel, or nobody
   * (data that may be absent).
   */
  readonly from: 'setup' | 'kernel' | 'age' | 'data';
  readonly isMet: () => boolean;
}

const requirements = {
  root: program('this needs root', () => process.geteuid?.() === 0),
  nft: program('this needs nft (scripts/setup test)', () => succeeds('nft', ['--version'])),
  ip: program('this needs ip (scripts/setup test)', () => succeeds('ip', ['-V'])),
  etcd: program('this needs an etcd server (scripts/setup test)', () => etcdServer() !== undefined),
  'systemd-analyze': program('this needs systemd-analyze (scripts/setup test)', () =>
    succeeds('systemd-analyze', ['--version']),
  ),
  systemd: {
    missing: 'this needs systemd, and to make a copy of this machine for it (namespaces, overlay, cgroup2)',
    from: 'data',
    isMet: canBoot,
  },
  sshd: program('this needs an SSH server (scripts/setup test)', () => sshServer() !== undefined),
  /** DHCP clients and servers, iperf3, and tools that attack networks. */
  clients: program(
    'this needs DHCP clients and servers, iperf3, and tools that attack (scripts/setup test)',
    () =>
      succeeds('sh', [
        '-c',
        `PATH=$PATH:/usr/sbin:/sbin
         for program in udhcpc dhclient dhcpcd dnsmasq radvd iperf3 ping arpspoof atk6-redir6; do
           command -v $program || exit 1
         done
         [ -d /usr/lib/python3/dist-packages/scapy ]`,
      ]),
  ),
  netns: program('this needs to make network namespaces', () => succeeds('unshare', ['--net', 'true'])),
  /** The shared vectors; {@link vectorsDirectory} says where. */
  vectors: {
    missing: 'the shared vectors are not here (NFTJS_VECTORS)',
    from: 'data',
    isMet: () => existsSync(VECTORS),
  },
  ibrname: kernel('meta ibrname', rule('bridge', 'meta ibrname "br0"')),
  ibrpvid: kernel('meta ibrpvid', rule('bridge', 'meta ibrpvid 1')),
  'bridge-reject': kernel('reject in the bridge family', rule('bridge', 'reject')),
  'bridge-conntrack': kernel('connection tracking in the bridge family', rule('bridge', 'ct state new')),
  conntrack: kernel('connection tracking', rule('inet', 'ct state new')),
  br_netfilter: kernel('br_netfilter', () => {
    succeeds('modprobe', ['br_netfilter']);
    return existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
  }),
  queue: kernel('queue', rule('inet', 'queue num 0')),
  flowtable: kernel(
    'flowtables',
    ruleset('table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }; }'),
  ),
  nat: kernel(
    'nat',
    ruleset('table ip t { chain c { type nat hook prerouting priority 0; dnat to 192.0.2.1; }; }'),
  ),
  'reset-rules': since(6, 2, 'to reset rules'),
  'tunnel-headers': since(6, 2, 'to look into tunnels'),
  'trace-returns': since(6, 4, 'to trace returns as the rules that they are'),
  'vlan-device': kernel('VLAN devices', link('dummy')('link add link nftjs0 name nftjs1 type vlan id 7')),
  bridge: kernel('bridges', link('bridge')()),
  veth: kernel('veth pairs', link('veth')()),
  vxlan: kernel('VXLAN devices', link('vxlan id 1 dstport 4789')()),
} as const satisfies Record<string, Requirement>;

export type RequirementName = keyof typeof requirements;

/**
 * The options of a test (or suite) that needs something of its machine.
 *
 * What is missing makes the test skip and say so. Under CI (`CI=true`), what setting the machine up would
 * supply throws instead; in the test VM, whose kernel has every feature, so does a missing feature.
 *
 * ```ts
 * test('lists as nft does', requires('root', 'netns', 'nft'), () => { … });
 * ```
 */
export function requires(...names: RequirementName[]): { skip: string | false } {
  const name = names.find((candidate) => !isMet(candidate));
  if (name === undefined) return { skip: false };
  const { missing, from }: Requirement = requirements[name];
  const isCurable = from === 'setup' ? process.env.CI === 'true' : from === 'kernel' && inVm();
  if (isCurable) throw new Error(`${missing}: no test may be skipped for that here`);
  return { skip: missing };
}

/** Where the shared vectors are; a test that reads them says `requires('vectors')`. */
export const vectorsDirectory: string = VECTORS;

/** Whether this runs in the machine that `npm run test:vm` boots. */
function inVm(): boolean {
  return process.env.NFTJS_VM === 'true';
}

const known = new Map<RequirementName, boolean>();

function isMet(name: RequirementName): boolean {
  let answer = known.get(name);
  if (answer === undefined) known.set(name, (answer = requirements[name].isMet()));
  return answer;
}

function program(missing: string, test: () => boolean): Requirement {
  return { missing, from: 'setup', isMet: test };
}

function kernel(feature: string, test: () => boolean): Requirement {
  return { missing: `this kernel lacks ${feature}: run by npm run test:vm`, from: 'kernel', isMet: test };
}

function since(major: number, minor: number, what: string): Requirement {
  return {
    missing: `Linux ${major}.${minor} is the first ${what}`,
    from: 'age',
    isMet: () => {
      const [here = 0, its = 0] = release().split('.').map(Number);
      return here > major || (here === major && its >= minor);
    },
  };
}

function succeeds(command: string, args: string[], input = ''): boolean {
  return spawnSync(command, args, { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

/** Whether the kernel takes the text, in a namespace that is gone afterwards. */
function ruleset(text: string): () => boolean {
  return () => {
    const { status, stderr } = spawnSync('unshare', ['--net', 'nft', text], { encoding: 'utf8' });
    // A probe that means nothing would pass for a feature that no kernel has.
    if (stderr?.includes('syntax error')) throw new Error(`${text}: ${stderr}`);
    return status === 0;
  };
}

function rule(family: string, text: string): () => boolean {
  return ruleset(`table ${family} t { chain c { type filter hook input priority 0; ${text}; }; }`);
}

/** Whether a device of the kind can be made, and the commands of ip that follow work on it (named nftjs0). */
function link(kind: string): (...commands: string[]) => () => boolean {
  return (...commands) =>
    () =>
      succeeds(
        'unshare',
        ['--net', 'ip', '-batch', '-'],
        [`link add nftjs0 type ${kind}`, ...commands, ''].join('\n'),
      );
}
