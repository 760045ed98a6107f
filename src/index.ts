/**
 * The Linux firewall as an API: a typed model of nftables, compiled to nf_tables bytecode and committed as
 * one atomic netlink transaction.
 *
 * @packageDocumentation
 */
export { type Instruction, instructionText } from './bytecode/index.ts';
export { symbolsOf } from './datatype/index.ts';
export { bytecodeText } from './format/bytecode.ts';
export { type CompileLine, compileLine } from './format/compile-line.ts';
export {
  type FormatOptions,
  formatChange,
  formatCommand,
  formatExpression,
  formatObject,
  formatRule,
  formatRuleset,
  formatStatement,
  formatTrace,
} from './format/index.ts';
export { CompileError } from './linearize/index.ts';
export * from './model/index.ts';
export {
  type Choice,
  type Column,
  type Commit,
  type CommitOptions,
  type CommitResult,
  Connection,
  connect,
  type ElementColumns,
  type Elements,
  type Feature,
  type Feed,
  type InterfaceEvent,
  type ListScope,
  type LogEvent,
  type LoggedPacket,
  type LogOptions,
  type LogOverrun,
  type MonitorEvent,
  type MonitorOptions,
  NetlinkSocketError,
  type NetworkInterface,
  type NewsOverrun,
  notifyServiceManager,
  type Outcome,
  type Overrun,
  type Refusal,
  type Route,
  type RouteChange,
  type RouteEvent,
  type RouteScope,
  type RouteType,
  type RtnetlinkMonitorOptions,
  type ServiceState,
  type SetRef,
  type Snapshot,
  type SocketOptions,
  TornError,
  type TraceEvent,
  type TraceOptions,
  type TraceOverrun,
  TransactionError,
} from './netlink/index.ts';
export { ProtocolLookupError } from './protocol/index.ts';
export {
  commitGrowing,
  type DiffOptions,
  diff,
  grow,
  type Plan,
  plan,
  type Reconciled,
  type ReconcileOptions,
  reconcile,
  type SetName,
  type TableName,
} from './ruleset/index.ts';
export { type Commands, compileCommands, Transaction, transaction } from './transaction/index.ts';
