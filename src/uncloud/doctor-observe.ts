import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Connection, NetlinkSocketError, type Ruleset } from '../index.ts';
import { type Facts, factsOf } from './facts.ts';

/** A link as `ip -j -d link show` tells it, as far as the doctor looks. */
export interface Link {
  readonly ifname: string;
  readonly address?: string;
  readonly master?: string;
  readonly xdp?: unknown;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
    readonly info_slave_kind?: string;
    readonly info_slave_data?: Readonly<Record<string, unknown>>;
  };
}

/** What the doctor looks at. */
export interface Observation {
  readonly links: readonly Link[];
  /** Of /proc/sys and /proc/net, the files that exist, without the leading /proc/. */
  readonly files: Readonly<Record<string, string>>;
  readonly ruleset: Ruleset;
  readonly facts: Facts;
}

const FILES = [
  ...['iptables', 'ip6tables', 'arptables'].map((tables) => `sys/net/bridge/bridge-nf-call-${tables}`),
  ...['ip', 'ip6', 'arp'].map((family) => `net/${family}_tables_names`),
  'sys/net/netfilter/nf_conntrack_max',
  'sys/net/netfilter/nf_log_all_netns',
];

const READ = FILES.map((file) => `[ ! -r /proc/${file} ] || echo ${file} $(cat /proc/${file})`).join('\n');

const run = promisify(execFile);

/**
 * Looks at a network namespace. Needs root, `ip` (iproute2) and, for another namespace than this process's,
 * `nsenter` (util-linux). Nothing is changed.
 *
 * @param netns - path of the namespace that `nft` is connected to; this process's own where absent
 */
export async function observe(nft: Connection, netns?: string): Promise<Observation> {
  const inside = async (command: string, ...args: string[]): Promise<string> => {
    const [program = '', ...rest] =
      netns === undefined ? [command, ...args] : ['nsenter', `--net=${netns}`, '--', command, ...args];
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
    return (await run(program, rest, { env, maxBuffer: 1 << 28 })).stdout;
  };
  const [links, files] = await Promise.all([
    inside('ip', '-j', '-d', 'link', 'show'),
    inside('sh', '-c', READ),
  ]);
  return {
    links: JSON.parse(links),
    files: Object.fromEntries([...files.matchAll(/^(\S+) ?(.*)$/gm)].map(([, file, text]) => [file, text])),
    ruleset: await nft.list({ terse: true }).catch(nothing),
    facts: await factsOf(nft),
  };
}

function nothing(error: unknown): Ruleset {
  if (error instanceof NetlinkSocketError && error.code === 'ENOENT') return { nftables: [] };
  throw error;
}
