import { spawnSync } from 'node:child_process';
import type { Driver, Session } from '../driver.ts';

function ipset(args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync('ipset', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    ...(input === undefined ? {} : { input }),
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`ipset ${args.join(' ')}: ${stderr.slice(0, 200)}`);
  return stdout;
}

interface Node {
  readonly name: string;
  readonly type?: string;
  readonly size?: number;
  readonly elem?: readonly string[];
}

/** What `ipset restore` takes; of IPv4 addresses only, of the kinds of key that are measured. */
function restore(commands: readonly object[]): string {
  const lines: string[] = [];
  for (const command of commands) {
    const [verb, target] = Object.entries(command)[0] as [string, Record<string, Node>];
    const [kind, node] = Object.entries(target)[0] as [string, Node];
    if (kind === 'table') continue;
    if (kind === 'set') {
      if (node.type !== 'ipv4_addr') throw new Error(`not measured here: a set of ${String(node.type)}`);
      lines.push(`create ${node.name} hash:ip maxelem ${node.size ?? 65_536}`);
    } else if (kind !== 'element') throw new Error(`ipset has no ${kind}`);
    for (const address of node.elem ?? [])
      lines.push(`${verb === 'add' ? 'add' : 'del'} ${node.name} ${address}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The program `ipset`, the sets of iptables: no transaction, and no nf_tables. */
export const program: Driver = {
  missing: () => (spawnSync('ipset', ['--version']).status === 0 ? undefined : 'ipset is not installed'),
  open(): Session {
    return {
      prepare(work) {
        const input = restore(work.commands());
        return () => void ipset(['restore'], input);
      },
      list: () => ipset(['save']),
      count: (set) =>
        ipset(['save', set])
          .split('\n')
          .filter((line) => line.startsWith('add ')).length,
      clear: () => void ipset(['destroy']),
      close: () => {},
    };
  },
};
