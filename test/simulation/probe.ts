import { PacketSocket } from '../support/frames/packet-socket.ts';

/** What a probe is told. Frames are in hexadecimal. */
export type ProbeOrder =
  /** A port whose far end may send hostile frames from now on, and should see none. */
  | {
      readonly do: 'add';
      readonly port: string;
      readonly netns: string;
      readonly host: number;
      readonly frames: readonly (readonly [what: string, frame: string])[];
      /** Of a VM: nothing hostile may arrive here. */
      readonly isGuarded: boolean;
    }
  | { readonly do: 'remove'; readonly port: string }
  /** Sends once. */
  | { readonly do: 'send'; readonly port: string; readonly frame: string }
  /** Sends one frame again and again, whose last 4 bytes count. */
  | { readonly do: 'stream'; readonly from: string; readonly to: string; readonly frame: string }
  | { readonly do: 'tell' }
  | { readonly do: 'end' };

/** A hostile frame that arrived at a guarded port. */
export interface Leak {
  readonly what: string;
  /** Numbers of hosts: where it was sent, and where it came out. */
  readonly from: number;
  readonly to: number;
  readonly port: string;
  /** When it was sent and when it was seen, in milliseconds of the monotonic clock. */
  readonly sent: number;
  readonly seen: number;
}

export interface ProbeReport {
  readonly hostileSent: number;
  readonly streamSent: number;
  readonly streamSeen: number;
  readonly leaks: readonly Leak[];
}

/** What it says: that an order was carried out, or what was asked. */
export type ProbeAnswer = { readonly done: string } | ProbeReport;

/** Milliseconds of the clock that all processes share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** How often it looks, in milliseconds. */
const TICK = 5;
/** Ends each hostile frame: these bytes, a byte of kind, the host, and the time. */
const MARK = Buffer.from('EVILnftjs');
const TRAILER = MARK.length + 1 + 2 + 8;

interface Port {
  readonly socket: PacketSocket;
  readonly host: number;
  readonly isGuarded: boolean;
  readonly frames: readonly Buffer[];
}

interface Stream {
  readonly from: string;
  readonly to: string;
  readonly frame: Buffer;
  sent: number;
}

/** Sends hostile frames from everywhere, and looks where they arrive. */
class Probe {
  readonly #hostilePerSecond: number;
  readonly #streamPerSecond: number;
  readonly #ports = new Map<string, Port>();
  readonly #streams: Stream[] = [];
  readonly #kinds: string[] = [];
  readonly #leaks: Leak[] = [];
  #owedHostile = 0;
  #owedStream = 0;
  #turn = 0;
  #hostileSent = 0;
  #streamSent = 0;
  #streamSeen = 0;
  #last = now();

  constructor(hostilePerSecond: number, streamPerSecond: number) {
    this.#hostilePerSecond = hostilePerSecond;
    this.#streamPerSecond = streamPerSecond;
  }

  add({ port, netns, host, frames, isGuarded }: Extract<ProbeOrder, { do: 'add' }>): void {
    this.remove(port);
    this.#ports.set(port, {
      socket: new PacketSocket(netns, port),
      host,
      isGuarded,
      frames: frames.map(([what, frame]) => this.#marked(what, Buffer.from(frame, 'hex'), host)),
    });
  }

  remove(port: string): void {
    this.#ports.get(port)?.socket.close();
    this.#ports.delete(port);
  }

  send(port: string, frame: Buffer): void {
    trySend(this.#ports.get(port)?.socket, frame);
  }

  stream(from: string, to: string, frame: Buffer): void {
    this.#streams.push({ from, to, frame, sent: 0 });
  }

  tick(): void {
    const time = now();
    const passed = Math.min(time - this.#last, 100) / 1000;
    this.#last = time;
    this.#owedHostile += passed * this.#hostilePerSecond;
    this.#owedStream += passed * this.#streamPerSecond;
    const senders = [...this.#ports.values()].filter(({ frames }) => frames.length > 0);
    for (; this.#owedHostile >= 1 && senders.length > 0; this.#owedHostile--) {
      const turn = this.#turn++;
      const { socket, frames } = senders[turn % senders.length] as Port;
      const frame = frames[Math.floor(turn / senders.length) % frames.length] as Buffer;
      frame.writeDoubleBE(now(), frame.length - 8);
      if (trySend(socket, frame)) this.#hostileSent++;
      if (turn % 16 === 0) this.#listen();
    }
    for (; this.#owedStream >= 1; this.#owedStream--) {
      for (const stream of this.#streams) {
        if (!this.#ports.has(stream.to)) continue;
        stream.frame.writeUInt32BE(stream.sent++, stream.frame.length - 4);
        if (trySend(this.#ports.get(stream.from)?.socket, stream.frame)) this.#streamSent++;
      }
    }
    this.#listen();
  }

  report(): ProbeReport {
    return {
      hostileSent: this.#hostileSent,
      streamSent: this.#streamSent,
      streamSeen: this.#streamSeen,
      leaks: this.#leaks,
    };
  }

  #listen(): void {
    for (const [port, { socket, isGuarded, host }] of this.#ports) {
      if (!isGuarded) continue;
      for (let frame = receive(socket); frame; frame = receive(socket)) {
        const at = frame.indexOf(MARK);
        if (at >= 0 && at + TRAILER <= frame.length) {
          this.#leaks.push({
            what: this.#kinds[frame.readUInt8(at + MARK.length)] ?? '?',
            from: frame.readUInt16BE(at + MARK.length + 1),
            to: host,
            port,
            sent: frame.readDoubleBE(at + TRAILER - 8),
            seen: now(),
          });
        } else if (this.#streams.some((one) => one.to === port && isOf(one, frame))) this.#streamSeen++;
      }
    }
  }

  #marked(what: string, frame: Buffer, host: number): Buffer {
    let kind = this.#kinds.indexOf(what);
    if (kind < 0) kind = this.#kinds.push(what) - 1;
    const trailer = Buffer.alloc(TRAILER);
    MARK.copy(trailer);
    trailer.writeUInt8(kind, MARK.length);
    trailer.writeUInt16BE(host, MARK.length + 1);
    return Buffer.concat([frame, trailer]);
  }
}

function isOf({ frame }: Stream, other: Buffer): boolean {
  return (
    other.length === frame.length && other.compare(frame, 0, frame.length - 4, 0, frame.length - 4) === 0
  );
}

/** The far end of a port that is down, or is being taken away, sends nothing and sees nothing. */
function trySend(socket: PacketSocket | undefined, frame: Buffer): boolean {
  try {
    socket?.send(frame);
    return socket !== undefined;
  } catch {
    return false;
  }
}

function receive(socket: PacketSocket): Buffer | undefined {
  try {
    return socket.receive(0);
  } catch {
    return undefined;
  }
}

// In a process of its own, so that whoever changes things does not wait for it.
if (process.send && process.argv[1] === import.meta.filename) {
  const [hostile = 0, stream = 0] = process.argv.slice(2).map(Number);
  const probe = new Probe(hostile, stream);
  const timer = setInterval(() => probe.tick(), TICK);
  process.on('disconnect', () => process.exit());
  process.on('message', (order: ProbeOrder) => {
    if (order.do === 'add') {
      probe.add(order);
      process.send?.({ done: order.port } satisfies ProbeAnswer);
    } else if (order.do === 'remove') probe.remove(order.port);
    else if (order.do === 'send') probe.send(order.port, Buffer.from(order.frame, 'hex'));
    else if (order.do === 'stream') probe.stream(order.from, order.to, Buffer.from(order.frame, 'hex'));
    else if (order.do === 'tell') process.send?.(probe.report());
    else {
      clearInterval(timer);
      process.disconnect();
    }
  });
}
