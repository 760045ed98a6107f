import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The bridge, and its port that leads to the outside. */
export const BRIDGE = 'br100';
export const UPLINK = 'up0';
/** Where frames for the outside go. */
export const GATEWAY = '02:ff:00:00:00:01';

/** The end of a port's wire that a VM has. */
export const farEnd = (port: string): string => `x${port}`;

function ip(lines: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], { input: lines.map((line) => `${line}\n`).join('') });
}

/**
 * A bridge in this network namespace with veth pairs for ports; both ends are here, and nothing is at the far
 * ends: what leaves through one is thrown away there. Interfaces have no IPv6, so that nobody else sends.
 */
export function buildBridge(ports: readonly string[]): void {
  execFileSync('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6']);
  const all = [...ports, UPLINK];
  ip([
    `link add ${BRIDGE} type bridge mcast_snooping 0`,
    ...all.flatMap((port) => [
      `link add ${port} type veth peer name ${farEnd(port)}`,
      `link set ${port} master ${BRIDGE} up`,
      `link set ${farEnd(port)} up`,
    ]),
    `link set ${BRIDGE} up`,
  ]);
  // The bridge knows the way to the outside: it would flood all ports otherwise.
  execFileSync('bridge', ['fdb', 'add', GATEWAY, 'dev', UPLINK, 'master', 'static']);
}

/** How many frames have come to the outside. */
export function arrived(): number {
  const name = farEnd(UPLINK);
  const row = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find((line) => line.trim().startsWith(`${name}:`));
  const [, received] =
    row
      ?.slice(row.indexOf(':') + 1)
      .trim()
      .split(/\s+/) ?? [];
  if (received === undefined) throw new Error(`no interface ${name}`);
  return Number(received);
}
