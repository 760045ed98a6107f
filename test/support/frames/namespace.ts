import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { native } from './native.ts';

/**
 * A network namespace of this process alone. Only a descriptor holds it, so it goes when the process
 * goes, however that ends, and everything inside (bridges, ports, tables) goes with it.
 */
export class Namespace implements Disposable {
  #descriptor: number | undefined = native.createNamespace();

  /** A path that any process may open as long as the namespace is. */
  get path(): string {
    if (this.#descriptor === undefined) throw new Error('the namespace is closed');
    return `/proc/${process.pid}/fd/${this.#descriptor}`;
  }

  /**
   * Runs a command inside and returns its standard output.
   *
   * @throws Error with the command's standard error when it does not exit with 0
   */
  run(command: string, args: readonly string[], input = ''): string {
    const inside = [`--net=${this.path}`, '--', command, ...args];
    const { status, stdout, stderr, error } = spawnSync('nsenter', inside, {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}: ${stderr || stdout}`);
    return stdout;
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
