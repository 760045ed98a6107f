export { Agent, type AgentOptions, type AgentState, type Log, type LogLevel } from './agent.ts';
export type { Backoff } from './backoff.ts';
export type { DeletionLimit, HeldDeletions } from './records.ts';
export { LeftOutError, type Status, statusKey, waitForVm } from './status.ts';
