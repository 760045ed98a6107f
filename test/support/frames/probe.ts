import { PacketSocket } from './packet-socket.ts';

/** What a probe is told: where it may send, what, how often, and where it looks. */
export interface ProbeOrder {
  readonly netns: string;
  /** Ports that are listened to. */
  readonly ports: readonly string[];
  /** Frames that must arrive nowhere, in hexadecimal, with the port that each is sent from. */
  readonly hostile: readonly (readonly [port: string, frame: string])[];
  /** Frames that must arrive: 4 bytes at `at` take a number that counts them. */
  readonly legitimate: readonly {
    readonly from: string;
    readonly to: string;
    readonly frame: string;
    readonly at: number;
  }[];
  readonly hostilePerSecond: number;
  readonly legitimatePerSecond: number;
}

/** What it has to say in the end. */
export interface ProbeReport {
  readonly hostileSent: number;
  readonly legitimateSent: number;
  readonly legitimateSeen: number;
  /** The hostile frames that arrived. */
  readonly leaked: readonly string[];
  readonly seconds: number;
}

/** Milliseconds that the last frames get to arrive. */
const LAST = 300;

async function probe(order: ProbeOrder, isOver: () => boolean): Promise<ProbeReport> {
  const sockets = new Map(order.ports.map((port) => [port, new PacketSocket(order.netns, port)]));
  const socket = (port: string): PacketSocket => {
    const found = sockets.get(port);
    if (!found) throw new Error(`no port ${port} to send from`);
    return found;
  };
  const hostile = order.hostile.map(([port, hex]) => [socket(port), Buffer.from(hex, 'hex')] as const);
  const streams = order.legitimate.map(({ from, to, frame, at }) => {
    return { from: socket(from), to, frame: Buffer.from(frame, 'hex'), at, sent: 0, seen: 0 };
  });
  const leaked: string[] = [];
  let hostileSent = 0;

  const listen = () => {
    for (const [port, each] of sockets) {
      for (let frame = each.receive(0); frame; frame = each.receive(0)) {
        const stream = streams.find(
          (one) =>
            one.to === port &&
            frame?.length === one.frame.length &&
            frame.compare(one.frame, 0, one.at, 0, one.at) === 0,
        );
        if (stream) stream.seen++;
        else leaked.push(`${port}: ${frame.toString('hex')}`);
      }
    }
  };

  const start = performance.now();
  const due = (perSecond: number) => ((performance.now() - start) / 1000) * perSecond;
  while (!isOver()) {
    // What is due as of now: who is too slow for it still has to hear that it is over.
    const [hostileDue, legitimateDue] = [due(order.hostilePerSecond), due(order.legitimatePerSecond)];
    while (hostileSent < hostileDue) {
      const [from, frame] = hostile[hostileSent++ % hostile.length]!;
      from.send(frame);
      if (hostileSent % 32 === 0) listen();
    }
    for (const stream of streams) {
      while (stream.sent < legitimateDue) {
        stream.frame.writeUInt32BE(stream.sent++, stream.at);
        stream.from.send(stream.frame);
        if (stream.sent % 32 === 0) listen();
      }
    }
    listen();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const seconds = (performance.now() - start) / 1000;
  for (const end = performance.now() + LAST; performance.now() < end; ) {
    listen();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const each of sockets.values()) each.close();
  const sum = (key: 'sent' | 'seen') => streams.reduce((total, stream) => total + stream[key], 0);
  return { hostileSent, legitimateSent: sum('sent'), legitimateSeen: sum('seen'), leaked, seconds };
}

// In a process of its own, so that whoever changes rules does not wait for it.
if (process.send && process.argv[1] === import.meta.filename) {
  let isOver = false;
  process.on('message', (message: ProbeOrder | 'over') => {
    if (message === 'over') isOver = true;
    else {
      process.send?.('ready');
      void probe(message, () => isOver).then((report) => {
        process.send?.(report);
        process.disconnect();
      });
    }
  });
}
