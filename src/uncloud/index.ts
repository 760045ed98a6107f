export * from './agent/index.ts';
export { marked, NOTHING, UNKNOWN, UnexpectedStateError } from './applied.ts';
export {
  type Appliable,
  type Applied,
  type ApplyOptions,
  apply,
  CUSTOM,
  type Planned,
  planOf,
} from './apply.ts';
export { examine, type Finding, type Severity } from './doctor.ts';
export { type Link, type Observation, observe } from './doctor-observe.ts';
export { type Facts, factsOf, type Interface } from './facts.ts';
export { renderFaithful } from './faithful.ts';
export type { Filter, FilterMatch, FilterRule } from './filter.ts';
export { type ChangeOptions, Firewall, type FirewallOptions, type Step } from './firewall.ts';
export type { Action, Direction, Group, GroupRule, Peer, PortRange } from './group.ts';
export { hash } from './hash.ts';
export { type Bridge, completed, type Host, parseHost, type SetMode } from './host.ts';
export * from './import/index.ts';
export type { LearningFigures } from './learn/figures.ts';
export { type LearnEvent, Learner, type LearnerOptions } from './learn/learner.ts';
export type { Learning } from './learn/learning.ts';
export type { Lesson } from './learn/lesson.ts';
export type { Log } from './log.ts';
export type { Network } from './network.ts';
export {
  type Nic,
  type Policy,
  type PolicyOptions,
  type PolicyResult,
  parsePolicy,
  type Vm,
} from './policy.ts';
export { type Problem, UncloudError } from './problem.ts';
export * from './push/index.ts';
export type { Rate } from './rate.ts';
export { type Desired, type Rendering, render, TABLE } from './render.ts';
export { applyRoutes, type Routable, type RoutesApplied, RouteTable, teardownRoutes } from './route-table.ts';
export {
  ROUTE_PROTOCOL,
  type RouteInput,
  type RouteOptions,
  routeKey,
  type WantedRoute,
  type WantedRoutes,
  wantedRoutes,
} from './routes.ts';
export { type Decision, type Simulated, type Simulation, simulate } from './simulate.ts';
export { framesOf } from './simulate-pcap.ts';
export type { WordRecords, Words } from './standing.ts';
export * from './store/index.ts';
export { teardown } from './teardown.ts';
