import fc from 'fast-check';

const said = process.env.NFTJS_SEED ?? '20261121';

/**
 * What a random test starts from: the same cases for everybody, so that a failure is everybody's. NFTJS_SEED
 * asks for others, and `NFTJS_SEED=random` for fresh ones each time; the seed stands in the names of the tests, and
 * where they fail.
 */
export const seed = said === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(said);

fc.configureGlobal({ seed });
