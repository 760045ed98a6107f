import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A bridge of the laboratory. */
export interface LaboratoryBridge {
  readonly name: string;
  readonly mac?: string;
  /** Its ports, and the MAC behind each, where one is known: the bridge need not learn it. */
  readonly ports: ReadonlyMap<string, string | undefined>;
}

/** Where the laboratory takes frames in, and with which VXLAN network identifier. */
const VXLAN_PORT = 4789;
const VXLAN_HEADER = '0800000000000100';

/**
 * What runs inside. The first line is the batch for ip, the second that for bridge; every other is a frame in
 * hexadecimal, VXLAN header in front (RFC 7348): the port that frames come in at is a VXLAN device, since such
 * takes frames from an ordinary UDP socket.
 */
const INSIDE = `
const { execFileSync } = require('node:child_process');
const { existsSync, writeFileSync } = require('node:fs');
for (const name of ['all', 'default']) {
  const path = '/proc/sys/net/ipv6/conf/' + name + '/disable_ipv6';
  if (existsSync(path)) writeFileSync(path, '1');
}
const socket = require('node:dgram').createSocket('udp4');
const lines = require('node:readline').createInterface({ input: process.stdin });
const batches = ['ip', 'bridge'];
const deadline = Date.now() + 5000;
// A port forwards when the kernel has noticed, in its own time, that its other end is up.
const wait = () => {
  const ports = JSON.parse(execFileSync('bridge', ['-j', 'link', 'show'], { encoding: 'utf8' }) || '[]');
  if (ports.every(({ state }) => state === 'forwarding')) console.log('ready');
  else if (Date.now() < deadline) setTimeout(wait, 10);
  else {
    console.error('the ports do not forward');
    process.exit(1);
  }
};
lines.on('line', (line) => {
  const program = batches.shift();
  if (program) {
    try {
      execFileSync(program, ['-batch', '-'], { input: JSON.parse(line), stdio: ['pipe', 'ignore', 'inherit'] });
    } catch {
      process.exit(1);
    }
    wait();
  } else socket.send(Buffer.from(line, 'hex'), ${VXLAN_PORT}, '127.0.0.1', () => console.log('sent'));
});
lines.on('close', () => socket.close());
`;

/**
 * A network namespace with bridges and nothing else on them, of which one port takes frames in. A child process
 * holds it, and ends when this process does, however that happens; everything inside ends with it.
 *
 * It needs root, `unshare` (util-linux), `ip` and `bridge` (iproute2), and a kernel with VXLAN.
 */
export class Laboratory implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #complaint = '';

  private constructor() {
    this.#child = spawn('unshare', ['--net', process.execPath, '-e', INSIDE], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /**
   * Builds the bridges.
   *
   * @param inlet - the port of one of them that frames come in at
   * @throws Error with what unshare, ip or bridge said
   */
  static async build(bridges: readonly LaboratoryBridge[], inlet: string): Promise<Laboratory> {
    const laboratory = new Laboratory();
    try {
      await laboratory.#ask(JSON.stringify(links(bridges, inlet)));
      await laboratory.#ask(JSON.stringify(addresses(bridges)));
      return laboratory;
    } catch (error) {
      await laboratory.close();
      throw error;
    }
  }

  /** The namespace, for a connection. */
  get netns(): string {
    return `/proc/${this.#child.pid}/ns/net`;
  }

  /** Lets a frame come in at the inlet. Answers when the kernel has it, not when it is through with it. */
  async send(frame: Uint8Array): Promise<void> {
    await this.#ask(VXLAN_HEADER + Buffer.from(frame).toString('hex'));
  }

  async close(): Promise<void> {
    this.#lines.close();
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.pid !== undefined) await once(this.#child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask(line: string): Promise<void> {
    const spawned = this.#child.pid !== undefined;
    if (!spawned) throw new Error('unshare (util-linux) cannot be run');
    this.#child.stdin.write(`${line}\n`);
    const { done } = await this.#answers.next();
    if (done) throw new Error(`the simulation's namespace cannot be built: ${this.#complaint.trim()}`);
  }
}

function links(bridges: readonly LaboratoryBridge[], inlet: string): string {
  const lines = ['link set lo up'];
  for (const { name, mac, ports } of bridges) {
    const address = mac === undefined ? '' : ` address ${mac}`;
    lines.push(`link add ${name}${address} type bridge stp_state 0 mcast_snooping 0`, `link set ${name} up`);
    for (const port of ports.keys()) {
      if (port === inlet)
        lines.push(`link add ${port} mtu 9000 type vxlan id 1 dstport ${VXLAN_PORT} nolearning`);
      else {
        const far = `far-end-${lines.length}`;
        lines.push(`link add ${port} mtu 9000 type veth peer name ${far} mtu 9000`, `link set ${far} up`);
      }
      lines.push(`link set ${port} master ${name} up`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function addresses(bridges: readonly LaboratoryBridge[]): string {
  return bridges
    .flatMap(({ ports }) => [...ports])
    .map(([port, mac]) => (mac === undefined ? '' : `fdb add ${mac} dev ${port} master static\n`))
    .join('');
}
