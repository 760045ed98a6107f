export { type Facts, factsOf, type Interface } from './facts.ts';
export { renderFaithful } from './faithful.ts';
export { hash } from './hash.ts';
export { type Bridge, type Host, parseHost, type SetMode } from './host.ts';
export {
  type Filter,
  type Nic,
  type Policy,
  type PolicyOptions,
  type PolicyResult,
  parsePolicy,
  type Vm,
} from './policy.ts';
export { type Problem, UncloudError } from './problem.ts';
export { type Desired, type Rendering, render, TABLE } from './render.ts';
export { appliedHash, withHash } from './stamp.ts';
export * from './store/index.ts';
