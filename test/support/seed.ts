import fc from 'fast-check';

/**
 * What a random test starts from: the same cases for everybody, so that a failure is everybody's. NFTJS_SEED
 * asks for others.
 */
export const seed = Number(process.env.NFTJS_SEED ?? 20261121);

fc.configureGlobal({ seed });
