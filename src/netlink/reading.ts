/**
 * What is needed once the kernel is asked what it has: the model is made of its answers. A process that only commits
 * starts without all this code, because whoever uses it says `await import('./reading.ts')` where it does.
 */
export { elementTeller } from '../delinearize/element-list.ts';
export { delinearizeElements } from '../delinearize/index.ts';
export { delinearizeObject } from '../delinearize/object/index.ts';
export { readChanges, separable } from './change.ts';
export { ColumnWriter } from './columns.ts';
export { listRuleset } from './list.ts';
export { describePacket } from './packet.ts';
export { resetElement } from './reset-element.ts';
