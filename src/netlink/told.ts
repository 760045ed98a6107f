import { ELEMENT, type ElementReader } from '../message/index.ts';
import { KeySet } from './key-set.ts';

/** Which elements of a set were told, over several answers. */
export class Told {
  #keys: KeySet | undefined;
  /** In which answer each key was told last. */
  #answers = new Uint8Array(1024);
  #answer = 0;
  #catchall = false;
  #twice = false;

  /** The next answer begins. */
  begin(): void {
    this.#answer++;
    this.#twice = false;
  }

  /** Whether this answer told an element twice: then it may have left others out (see `mayRehash`). */
  get twice(): boolean {
    return this.#twice;
  }

  /** Notes the element that a reader stands at; true where no answer told it before. */
  isNew(reader: ElementReader): boolean {
    const at = reader.at[ELEMENT.key] as number;
    if (at === 0) {
      const before = this.#catchall;
      this.#catchall = true;
      return !before;
    }
    this.#keys ??= new KeySet(reader.length[ELEMENT.key] as number);
    const before = this.#keys.size;
    const number = this.#keys.number(reader.view, at);
    if (number >= this.#answers.length) this.#grow();
    if (this.#answers[number] === this.#answer) this.#twice = true;
    this.#answers[number] = this.#answer;
    return this.#keys.size > before;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#answers.length * 2);
    larger.set(this.#answers);
    this.#answers = larger;
  }
}
