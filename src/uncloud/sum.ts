import { createHash } from 'node:crypto';
import type { Vm } from './policy.ts';

const BITS = 256n;

/** A number for a VM's record. Validated records have their keys in one order. */
export function digest(id: string, vm: Vm): bigint {
  const bytes = createHash('sha256')
    .update(JSON.stringify([id, vm]))
    .digest('hex');
  return BigInt(`0x${bytes}`);
}

/** The sum of the numbers of all VMs: it changes with one of them without looking at the others. */
export class Sum {
  #value = 0n;

  add(number: bigint): void {
    this.#value = BigInt.asUintN(Number(BITS), this.#value + number);
  }

  remove(number: bigint): void {
    this.#value = BigInt.asUintN(Number(BITS), this.#value - number);
  }

  /** SHA-256, in hexadecimal, of the sum and of what else there is. */
  hash(setting: string): string {
    return createHash('sha256')
      .update(`${setting} ${this.#value.toString(16)}`)
      .digest('hex');
  }
}
