import { type KnownSet, type Register, SLOTS, slotOf, slotsFor } from '../bytecode/index.ts';
import { Inexpressible, type Term } from './term.ts';

/** What the registers hold at one point of a rule, by the 4-byte slot where each value starts. */
export class Registers {
  readonly #terms: (Term | undefined)[] = new Array(SLOTS);

  /** Puts a value of `length` bytes into a register; what was there is gone. */
  write(register: Register, term: Term, length: number): void {
    const slot = slotOf(register);
    this.#terms.fill(undefined, slot, Math.min(SLOTS, slot + Math.max(1, Math.ceil(length / 4))));
    this.#terms[slot] = term;
  }

  /** @throws Inexpressible where nothing that is understood was put there */
  read(register: Register): Term {
    return this.#at(slotOf(register));
  }

  /** The value that a register is in, and how many slots of it come before. */
  covering(register: Register): { readonly term: Term; readonly skipped: number } {
    const slot = slotOf(register);
    for (let first = slot; first >= 0; first--) {
      const term = this.#terms[first];
      if (term !== undefined) return { term, skipped: slot - first };
    }
    throw new Inexpressible('nothing that is understood is in the register');
  }

  /** The values side by side that make up a key with parts of these widths; of one part no more is known than that. */
  readParts(register: Register, parts: KnownSet['key']): Term {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return this.readLength(register, Math.ceil(only.bits / 8));
    let slot = slotOf(register);
    const terms = parts.map((part) => {
      const term = this.#at(slot);
      slot += slotsFor(part.bits);
      return term;
    });
    // A map of several values side by side may give the whole key at once.
    return { kind: 'concat', parts: terms, from: terms.flatMap((term) => term.from) };
  }

  /** The values that fill `length` bytes from a register on. */
  readLength(register: Register, length: number): Term {
    const first = slotOf(register);
    const terms: Term[] = [];
    for (let slot = first; slot < first + Math.ceil(length / 4) && slot < SLOTS; slot++) {
      const term = this.#terms[slot];
      if (term !== undefined) terms.push(term);
    }
    const [only] = terms;
    if (only === undefined || this.#terms[first] !== only)
      throw new Inexpressible('nothing is in the register');
    if (terms.length === 1) return only;
    return { kind: 'concat', parts: terms, from: terms.flatMap((term) => term.from) };
  }

  /** Forgets what an instruction that is not understood wrote over. */
  forget(register: Register): void {
    const slot = slotOf(register);
    this.#terms.fill(undefined, slot, slot + 4);
  }

  /** Forgets everything: an instruction that is not understood may have written anywhere. */
  clear(): void {
    this.#terms.fill(undefined);
  }

  #at(slot: number): Term {
    const term = this.#terms[slot];
    if (term === undefined) throw new Inexpressible('nothing that is understood is in the register');
    return term;
  }
}
