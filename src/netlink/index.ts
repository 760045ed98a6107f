export type { NetworkInterface, Route, RouteChange, RouteType } from '../rtnetlink/index.ts';
export type { Choice, Column, ElementColumns } from './columns.ts';
export type { CommitOptions } from './committer.ts';
export { type CommitResult, Connection, connect, type Snapshot } from './connection.ts';
export type { Elements, SetRef } from './elements.ts';
export { type Outcome, type Refusal, TransactionError } from './error.ts';
export type { Feature } from './features.ts';
export type { Feed } from './feed.ts';
export type { ListScope } from './list.ts';
export type { LogEvent, LoggedPacket, LogOptions, LogOverrun } from './logged.ts';
export type { Commit, MonitorEvent, MonitorOptions, Overrun } from './monitor.ts';
export { notifyServiceManager, type ServiceState } from './notify.ts';
export type { RouteScope } from './routing.ts';
export type {
  InterfaceEvent,
  NewsOverrun,
  RouteEvent,
  RtnetlinkMonitorOptions,
} from './rtnetlink-monitor.ts';
export { NetlinkSocketError, type SocketOptions } from './socket.ts';
export { TornError } from './torn.ts';
export type { TraceEvent, TraceOptions, TraceOverrun } from './trace.ts';
