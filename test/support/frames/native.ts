import { createRequire } from 'node:module';

interface Native {
  /** A new network namespace, kept alive by the descriptor alone. */
  createNamespace(): number;
  /** A packet socket on an interface of the namespace at `netns`; without `receive` it only sends. */
  openSocket(netns: string, ifname: string, receive: boolean): number;
  send(socket: number, frame: Uint8Array): void;
  /**
   * Sends frames that lie side by side, each of `length` bytes, in `order`.
   *
   * @param interfaces - for each frame the index of the interface that it goes out through
   * @returns nanoseconds that all of it took
   */
  drive(
    socket: number,
    interfaces: Int32Array,
    frames: Uint8Array,
    length: number,
    order: Uint32Array,
  ): number;
  /** The next frame, tags as they were on the wire; undefined after `timeout` milliseconds without one. */
  receive(socket: number, timeout: number): Buffer | undefined;
}

const path = '../../../native/frames/build/Release/frames.node';

/** Packet sockets and namespaces: `node-gyp rebuild -C native/frames` builds it. */
export const native: Native = createRequire(import.meta.url)(path);
