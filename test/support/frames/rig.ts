import { forwarding } from './forwarding.ts';
import { Namespace } from './namespace.ts';
import { PacketSocket } from './packet-socket.ts';

/** A bridge to build, with its ports: each is a veth pair whose other end the test plays. */
export interface BridgePlan {
  readonly ports: readonly string[];
  /** The bridge's own address; the kernel draws one where absent. */
  readonly mac?: string;
  /** Keeps frames to 01:80:c2:00:00:0X from teaching the bridge where an address is. Default false. */
  readonly noLinklocalLearn?: boolean;
}

/** One row of a bridge's forwarding database that traffic taught it. */
export interface LearnedAddress {
  readonly mac: string;
  readonly port: string;
}

/** What became of one frame. */
export interface Delivery {
  /** Ports whose far end saw the frame, byte for byte but for padding, in the plan's order. */
  readonly arrivedAt: readonly string[];
  /** Frames nobody sent: replies, rewritten copies. */
  readonly strays: readonly { readonly port: string; readonly frame: Buffer }[];
}

/** What became of many. */
export interface Deliveries {
  /** For each frame the ports whose far end saw it, as {@link Delivery.arrivedAt}. */
  readonly arrivedAt: readonly (readonly string[])[];
  readonly strays: Delivery['strays'];
}

interface Port {
  readonly name: string;
  /** The end that a VM's network card (or the network behind an uplink) would have. */
  readonly far: PacketSocket;
  /** The end on the bridge, for sending outwards past the bridge and its rules. */
  readonly near: PacketSocket;
}

/** ARP of no kind that anyone answers: it passes whatever rules a port has towards its VM. */
const FENCE_ETHERTYPE = 0x0806;
const DEADLINE = 5000;
const ENOBUFS = 105;

/**
 * Bridges with ports in a private network namespace, and the machines behind the ports in a second one.
 * Neither namespace has addresses, so nothing is sent that the test does not send.
 */
export class Rig implements Disposable {
  readonly #host = new Namespace();
  readonly #outside = new Namespace();
  readonly #ports: Port[] = [];
  readonly #bridges: readonly string[];
  #fences = 0;

  /** Builds the bridges and waits until every port forwards. */
  static async build(plan: Readonly<Record<string, BridgePlan>>): Promise<Rig> {
    const rig = new Rig(Object.keys(plan));
    try {
      await rig.#wire(plan);
      return rig;
    } catch (failure) {
      rig.close();
      throw failure;
    }
  }

  private constructor(bridges: readonly string[]) {
    this.#bridges = bridges;
  }

  /** Path of the namespace that holds the bridges: where the rules go. */
  get netns(): string {
    return this.#host.path;
  }

  /** Path of the namespace with the ports' far ends. */
  get outside(): string {
    return this.#outside.path;
  }

  /** Runs a command beside the bridges and returns its standard output. */
  run(command: string, args: readonly string[], input?: string): string {
    return this.#host.run(command, args, input);
  }

  /** Sends a frame from the far end of `port` and waits until it has gone wherever it goes. */
  deliver(port: string, frame: Uint8Array): Delivery {
    const { arrivedAt, strays } = this.deliverAll([{ port, frame }]);
    return { arrivedAt: arrivedAt[0] ?? [], strays };
  }

  /**
   * Sends frames, no two of them the same but for zeros at the end, one after the other, and waits once for all of them: what bridges learn
   * from one they know for the next. As many as the sockets' buffers and the CPU's queue hold: 48 are never too many.
   */
  deliverAll(sends: readonly { readonly port: string; readonly frame: Uint8Array }[]): Deliveries {
    for (const { port, frame } of sends) this.#send(port, frame);
    const indices = new Map(sends.map(({ frame }, index) => [unpadded(frame), index]));
    const arrivedAt = sends.map((): string[] => []);
    const strays: { port: string; frame: Buffer }[] = [];
    for (const { name, frames } of this.#settle()) {
      for (const frame of frames) {
        const index = indices.get(unpadded(frame)) ?? -1;
        const ports = arrivedAt[index];
        if (!ports || frame.length > (sends[index]?.frame.length ?? 0)) strays.push({ port: name, frame });
        else if (!ports.includes(name)) ports.push(name);
      }
    }
    return { arrivedAt, strays };
  }

  #send(port: string, frame: Uint8Array): void {
    const from = this.#ports.find(({ name }) => name === port);
    if (!from) throw new Error(`the rig has no port ${port}`);
    try {
      from.far.send(frame);
    } catch (cause) {
      throw new Error(`nothing can be sent from ${port}: is it up, and are both ends?`, { cause });
    }
  }

  /** Makes every frame go everywhere, as through a hub: nothing that a bridge learns lasts. */
  forget(): void {
    for (const bridge of this.#bridges)
      this.run('ip', ['link', 'set', bridge, 'type', 'bridge', 'ageing_time', '0']);
  }

  /** The addresses that the bridges learnt. */
  learned(): readonly LearnedAddress[] {
    const rows: { mac: string; ifname: string; state: string; flags: string[] }[] = JSON.parse(
      this.run('bridge', ['-j', 'fdb', 'show']),
    );
    return rows
      .filter(({ state, flags }) => state !== 'permanent' && !flags.includes('self'))
      .map(({ mac, ifname }) => ({ mac, port: ifname }));
  }

  close(): void {
    for (const { far, near } of this.#ports) {
      far.close();
      near.close();
    }
    this.#outside.close();
    this.#host.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #wire(plan: Readonly<Record<string, BridgePlan>>): Promise<void> {
    const names = Object.values(plan).flatMap(({ ports }) => ports);
    for (const namespace of [this.#host, this.#outside]) silence(namespace);
    this.#host.run('ip', ['-batch', '-'], hostLinks(plan, this.#outside.path));
    this.#outside.run('ip', ['-batch', '-'], names.map((name) => `link set ${name} up\n`).join(''));
    await forwarding(() => this.#host.run('bridge', ['-j', 'link', 'show']), names.length);
    for (const name of names) {
      const far = new PacketSocket(this.#outside.path, name);
      this.#ports.push({ name, far, near: new PacketSocket(this.#host.path, name, 'send') });
    }
  }

  /**
   * Everything that arrived until the frame sent last cannot arrive any more.
   *
   * A frame waits in two queues: into the bridge, out to the far end. Both are one queue, in order, of
   * the CPU that all sending is kept on. A fence goes out of a port directly and waits in that queue
   * once: when the first has come the frame has left the bridge, when the second has come it is there.
   */
  #settle(): { name: string; frames: Buffer[] }[] {
    const seen = this.#ports.map(({ name }) => ({ name, frames: [] as Buffer[] }));
    for (let round = 0; round < 2; round++) {
      const fence = fenceFrame(++this.#fences);
      // Rules of the port itself may let nothing out of it: then nothing is on its way there either.
      const shut = new Set(this.#ports.filter(({ near }) => !sent(near, fence)));
      for (const [at, port] of this.#ports.entries()) {
        const { far, name } = port;
        for (;;) {
          const frame = far.receive(shut.has(port) ? 0 : DEADLINE);
          if (!frame && shut.has(port)) break;
          if (!frame) throw new Error(`port ${name} is dead: a frame sent out of it did not arrive`);
          if (frame.equals(fence)) break;
          seen[at]?.frames.push(frame);
        }
      }
    }
    return seen;
  }
}

/** The bytes of a frame but for the zeros at its end, which br_netfilter takes off IP packets. */
export function unpadded(frame: Uint8Array): string {
  let end = frame.length;
  while (end > 0 && frame[end - 1] === 0) end--;
  return Buffer.from(frame.buffer, frame.byteOffset, end).toString('latin1');
}

/** Whether rules let the frame out. */
function sent(socket: PacketSocket, frame: Uint8Array): boolean {
  try {
    socket.send(frame);
    return true;
  } catch (failure) {
    if ((failure as { errno?: number }).errno === ENOBUFS) return false;
    throw failure;
  }
}

/**
 * Without IPv6 no interface announces itself, probes for duplicates or reports memberships. Without
 * br_netfilter, where a kernel has it, no bridge trims or judges IP packets by itself.
 */
function silence(namespace: Namespace): void {
  const settings = ['ipv6/conf/all/disable_ipv6=1', 'ipv6/conf/default/disable_ipv6=1'].concat(
    ['iptables', 'ip6tables', 'arptables'].map((tables) => `bridge/bridge-nf-call-${tables}=0`),
  );
  const lines = settings.map((setting) => {
    const [name, value] = setting.split('=');
    return `[ ! -e /proc/sys/net/${name} ] || echo ${value} > /proc/sys/net/${name}`;
  });
  namespace.run('sh', ['-ec', lines.join('\n')]);
}

function hostLinks(plan: Readonly<Record<string, BridgePlan>>, outside: string): string {
  const lines: string[] = [];
  for (const [bridge, { ports, mac, noLinklocalLearn = false }] of Object.entries(plan)) {
    const address = mac ? `address ${mac} ` : '';
    const options = `stp_state 0 mcast_snooping 0 no_linklocal_learn ${noLinklocalLearn ? 1 : 0}`;
    lines.push(`link add ${bridge} ${address}type bridge ${options}`, `link set ${bridge} up`);
    for (const port of ports) {
      lines.push(`link add ${port} type veth peer name ${port} netns ${outside}`);
      lines.push(`link set ${port} master ${bridge} up`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function fenceFrame(number: number): Buffer {
  const frame = Buffer.alloc(60);
  frame.write('ffffffffffff' + '0200fefefe02', 'hex');
  frame.writeUInt16BE(FENCE_ETHERTYPE, 12);
  frame.writeUInt32BE(number, 14);
  return frame;
}
