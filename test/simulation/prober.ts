import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProbeAnswer, ProbeOrder, ProbeReport } from './probe.ts';
import type { Named } from './vm.ts';

const hexOf = (frames: readonly Named[]) =>
  frames.map(([what, frame]) => [what, frame.toString('hex')] as const);

/** The process that sends frames and looks where they arrive: see probe.ts. */
export class Prober implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #waiting = new Map<string, () => void>();
  #asked: ((report: ProbeReport) => void)[] = [];

  constructor(hostilePerSecond: number, streamPerSecond: number) {
    this.#child = fork(
      fileURLToPath(new URL('probe.ts', import.meta.url)),
      [String(hostilePerSecond), String(streamPerSecond)],
      { execArgv: ['--import', 'tsx'] },
    );
    this.#gone = once(this.#child, 'exit');
    this.#child.on('message', (answer: ProbeAnswer) => {
      if ('done' in answer) this.#waiting.get(answer.done)?.();
      else for (const tell of this.#asked.splice(0)) tell(answer);
    });
  }

  /** Resolves when the port is listened to, and sent from. */
  async add(
    port: string,
    netns: string,
    host: number,
    frames: readonly Named[],
    isGuarded = true,
  ): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.set(port, resolve));
    this.#order({ do: 'add', port, netns, host, frames: hexOf(frames), isGuarded });
    await Promise.race([done, this.#died()]);
    this.#waiting.delete(port);
  }

  remove(port: string): void {
    this.#order({ do: 'remove', port });
  }

  send(port: string, frame: Buffer): void {
    this.#order({ do: 'send', port, frame: frame.toString('hex') });
  }

  stream(from: string, to: string, frame: Buffer): void {
    this.#order({ do: 'stream', from, to, frame: frame.toString('hex') });
  }

  async report(): Promise<ProbeReport> {
    const report = new Promise<ProbeReport>((resolve) => this.#asked.push(resolve));
    this.#order({ do: 'tell' });
    return Promise.race([report, this.#died()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#order({ do: 'end' });
    await this.#gone;
  }

  #order(order: ProbeOrder): void {
    if (this.#child.connected) this.#child.send(order);
  }

  async #died(): Promise<never> {
    await this.#gone;
    throw new Error(`the probe ended: exit ${this.#child.exitCode ?? this.#child.signalCode}`);
  }
}
