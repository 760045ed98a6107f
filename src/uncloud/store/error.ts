/**
 * Why a store did not do what it was asked:
 *
 * - `unavailable`: it cannot be reached, or failed; trying again may help
 * - `compacted`: it no longer has all the changes that were asked for: list, and watch from there
 * - `conflict`: the key is not at the expected revision
 * - `denied`: the user or password is wrong, or may not do this
 * - `invalid`: what was asked makes no sense, or the answer did not
 */
export type StoreErrorCode = 'unavailable' | 'compacted' | 'conflict' | 'denied' | 'invalid';

/** A store did not do what it was asked. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
