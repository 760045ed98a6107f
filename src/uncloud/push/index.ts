export { planChanges } from './changes.ts';
export { type PushHost, type PushHosts, parsePushHosts } from './hosts.ts';
export {
  type Document,
  type HostPlan,
  type Plan,
  type PlanResult,
  parseDocument,
  parsePlan,
  planHosts,
  planText,
} from './plan.ts';
export {
  type ApplyReply,
  isDone,
  type PushOptions,
  type PushOutcome,
  type PushResult,
  push,
} from './push.ts';
export type { RecordChange, Records } from './records.ts';
export type { SshOptions } from './ssh.ts';
