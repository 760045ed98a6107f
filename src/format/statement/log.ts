import type { Log } from '../../model/index.ts';
import { words } from '../selector.ts';
import { listOf, name, quoted } from '../text.ts';

const tcpFlags = [
  ['tcp sequence', 'sequence'],
  ['tcp options', 'options'],
] as const;

const otherFlags = ['ip options', 'skuid', 'ether'] as const;

/** `flags tcp sequence,options flags ip options` */
function flagsText({ flags }: Log): string {
  const set = listOf(flags);
  if (set.includes('all')) return 'flags all';
  const tcp = tcpFlags.filter(([flag]) => set.includes(flag)).map(([, word]) => word);
  return words(
    tcp.length > 0 && `flags tcp ${tcp.join(',')}`,
    ...otherFlags.filter((flag) => set.includes(flag)).map((flag) => `flags ${flag}`),
  );
}

/** `{ log: … }` */
export function log(node: Log | null): string {
  if (node === null) return 'log';
  return words(
    'log',
    node.prefix !== undefined && `prefix ${quoted(node.prefix)}`,
    node.group !== undefined && `group ${node.group}`,
    node.snaplen !== undefined && `snaplen ${node.snaplen}`,
    node['queue-threshold'] !== undefined && `queue-threshold ${node['queue-threshold']}`,
    node.level !== undefined && node.level !== 'warn' && `level ${name(node.level)}`,
    flagsText(node),
  );
}
