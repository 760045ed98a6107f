export { type CommitOptions, type CommitResult, Connection, connect } from './connection.ts';
export { type Outcome, type Refusal, TransactionError } from './error.ts';
export { NetlinkSocketError, type SocketOptions } from './socket.ts';
