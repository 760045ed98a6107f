export { delinearizeChain } from './chain.ts';
export { delinearizeFlowtable } from './flowtable.ts';
export { delinearizeSet } from './set.ts';
export { delinearizeObject } from './stateful.ts';
export { delinearizeTable } from './table.ts';
