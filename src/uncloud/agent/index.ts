export { Agent, type AgentLog, type AgentOptions, type AgentState, type LogLevel } from './agent.ts';
export type { Backoff } from './backoff.ts';
export { metricsText } from './metrics.ts';
export type { DeletionLimit, HeldDeletions } from './records.ts';
export { type AgentServer, type ServerAddress, serveAgent } from './server.ts';
export { LeftOutError, type Status, statusKey, waitForVm } from './status.ts';
