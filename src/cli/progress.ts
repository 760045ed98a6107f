import type { Io } from './command.ts';

/**
 * Shows how far several things are: on a terminal in one line that is drawn over, below what was said; elsewhere
 * each thing that ends is a line.
 */
export class Progress {
  readonly #io: Io;
  readonly #total: number;
  readonly #running = new Set<string>();
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #ended = 0;
  #failed = 0;

  constructor(io: Io, total: number) {
    this.#io = io;
    this.#total = total;
    if (io.columns !== undefined) this.#timer = setInterval(() => this.#draw(), 1000).unref();
  }

  /** One has begun. */
  start(name: string): void {
    this.#running.add(name);
    this.#draw();
  }

  /** One has ended, or was never begun. */
  end(name: string, isWell: boolean, line: string): void {
    this.#running.delete(name);
    this.#ended++;
    if (!isWell) this.#failed++;
    // Where there is one line for all, only what is worth a look gets one of its own.
    if (this.#io.columns === undefined || !isWell) this.say(line);
    else this.#draw();
  }

  say(line: string): void {
    this.#clear();
    this.#io.err(`${line}\n`);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #clear(): void {
    if (this.#io.columns !== undefined) this.#io.err('\r\x1b[K');
  }

  #draw(): void {
    const { columns } = this.#io;
    if (columns === undefined) return;
    const seconds = Math.floor((Date.now() - this.#began) / 1000);
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} not well`;
    const waiting = this.#running.size === 0 ? '' : `; waiting for ${[...this.#running].join(', ')}`;
    const line = `${this.#ended}/${this.#total}${failed}, ${seconds} s${waiting}`;
    this.#io.err(`\r\x1b[K${line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`}`);
  }
}
