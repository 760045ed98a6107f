import { createRequire } from 'node:module';

interface Native {
  /** A new network namespace, kept alive by the descriptor alone. */
  createNamespace(): number;
  /** A packet socket on an interface of the namespace at `netns`; without `receive` it only sends. */
  openSocket(netns: string, ifname: string, receive: boolean): number;
  send(socket: number, frame: Uint8Array): void;
  /** The next frame, tags as they were on the wire; undefined after `timeout` milliseconds without one. */
  receive(socket: number, timeout: number): Buffer | undefined;
}

const path = '../../../native/frames/build/Release/frames.node';

/** Packet sockets and namespaces: `node-gyp rebuild -C native/frames` builds it. */
export const native: Native = createRequire(import.meta.url)(path);
