export { Agent } from './agent.ts';
export type { Backoff } from './backoff.ts';
export { metricsText } from './metrics.ts';
export { type SuperviseOptions, type Supervision, superviseAgent } from './notify.ts';
export type { AgentLog, AgentOptions, LogLevel } from './options.ts';
export type { DeletionLimit, HeldDeletions } from './records.ts';
export { type AgentServer, type ServerAddress, serveAgent } from './server.ts';
export type { AgentState, RoutesInForce } from './state.ts';
export { LeftOutError, type Status, statusKey, waitForVm } from './status.ts';
