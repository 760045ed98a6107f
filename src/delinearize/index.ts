export { delinearizeElements } from './elements.ts';
export { delinearizeRule, type RuleContext } from './rule.ts';
export { statefulStatement } from './stateful.ts';
