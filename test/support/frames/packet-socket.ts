import { closeSync } from 'node:fs';
import { native } from './native.ts';

/** Sends frames from an interface and, unless it is for sending only, sees those that arrive there. */
export class PacketSocket implements Disposable {
  #descriptor: number | undefined;

  constructor(netns: string, ifname: string, use: 'both' | 'send' = 'both') {
    this.#descriptor = native.openSocket(netns, ifname, use === 'both');
  }

  send(frame: Uint8Array): void {
    native.send(this.#open(), frame);
  }

  /** The next frame, with the tags it had on the wire; undefined after `timeout` milliseconds without one. */
  receive(timeout: number): Buffer | undefined {
    return native.receive(this.#open(), timeout);
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error('the packet socket is closed');
    return this.#descriptor;
  }
}
