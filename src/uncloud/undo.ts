/** What was done, as the steps that take it back. */
export class Undo {
  readonly #steps: (() => void)[] = [];

  /** Notes how to take back what is done now. */
  step(back: () => void): void {
    this.#steps.push(back);
  }

  /** Gives a key of a map its value, or takes the key out where there is none. */
  put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
    const [had, old] = [map.has(key), map.get(key) as V];
    this.step(() => {
      if (had) map.set(key, old);
      else map.delete(key);
    });
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }

  /** Takes everything back, the last step first. */
  run(): void {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) step();
  }
}
