export { delinearizeElements } from './elements.ts';
export { type FlowContext, flowOf } from './flow.ts';
export { delinearizeRule, type RuleContext } from './rule.ts';
export { type DeclaredTypes, delinearizeSetType, type SetTypes } from './set-type.ts';
export { statefulStatement } from './stateful.ts';
