export { chain, hook, POLICIES } from './chain.ts';
export { element, elementList } from './element.ts';
export { FLOWTABLE_FLAGS, flowtable } from './flowtable.ts';
export { generation } from './generation.ts';
export { object, objectData } from './object.ts';
export { rule } from './rule.ts';
export { SET_POLICIES, set, VERDICT_TYPE } from './set.ts';
export { TABLE_FLAGS, table } from './table.ts';
export { MESSAGE, type MessageName, NLM } from './types.ts';
