import { type Codec, u32 } from '../wire/schema.ts';

/**
 * A register by its kernel number (enum nft_registers): 0 is the verdict register, 1–4 are 16 bytes
 * each, 8–23 are the same 64 bytes seen as sixteen 4-byte registers.
 *
 * ```
 *  number   1               2               3               4
 *           |               |               |               |
 *  bytes    0   4   8  12  16  20  24  28  32  36  40  44  48  52  56  60
 *           |   |   |   |   |   |   |   |   |   |   |   |   |   |   |   |
 *  number   8   9  10  11  12  13  14  15  16  17  18  19  20  21  22  23
 * ```
 */
export type Register = number;

export const VERDICT: Register = 0;

const FIRST_16 = 1;
const FIRST_4 = 8;
/** How many 4-byte slots there are. */
export const SLOTS = 16;

/** The register that starts at a 4-byte slot: the 16-byte name where there is one, as nft does. */
export function registerAt(slot: number): Register {
  return slot % 4 === 0 ? FIRST_16 + slot / 4 : FIRST_4 + slot;
}

/** The 4-byte slot at which a register starts: the inverse of {@link registerAt}. */
export function slotOf(register: Register): number {
  return register >= FIRST_4 ? register - FIRST_4 : (register - FIRST_16) * 4;
}

/** How many 4-byte slots a value of `bits` takes. */
export function slotsFor(bits: number): number {
  return Math.ceil(bits / 32);
}

export const register: Codec<Register> = u32;
