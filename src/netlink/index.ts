export type { Change, ChangeAction } from './change.ts';
export type { CommitOptions } from './committer.ts';
export { type CommitResult, Connection, connect, type Snapshot } from './connection.ts';
export { type Outcome, type Refusal, TransactionError } from './error.ts';
export type { Feature } from './features.ts';
export type { Feed } from './feed.ts';
export type { NetworkInterface } from './interfaces.ts';
export type { ListScope } from './list.ts';
export type { Commit, MonitorEvent, MonitorOptions, Overrun } from './monitor.ts';
export { NetlinkSocketError, type SocketOptions } from './socket.ts';
export { TornError } from './torn.ts';
export type {
  TraceEvent,
  TraceInterface,
  TraceOptions,
  TraceOverrun,
  TracePacket,
  TraceStep,
  TraceVerdict,
} from './trace.ts';
