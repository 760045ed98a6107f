import type { Connection } from '../../index.ts';
import type { Host } from '../host.ts';
import type { RouteOptions } from '../routes.ts';
import type { Store } from '../store/index.ts';
import type { Backoff } from './backoff.ts';
import type { DeletionLimit } from './records.ts';

/** What an agent works with; times are in milliseconds. */
export interface AgentOptions {
  /** The host's name, in the key of its status. */
  readonly name: string;
  readonly host: Host;
  readonly store: Store;
  /** What the keys begin with; default `distributed-firewall/`. */
  readonly prefix?: string;
  /** To the network namespace that is guarded. The caller closes it. */
  readonly nft: Connection;
  /** Has delegated prefixes routed to the VMs on this host; left out, routes are not looked at. */
  readonly routes?: RouteOptions;
  /** The file that the last good state is kept in over a restart; none where left out. */
  readonly snapshot?: string;
  /**
   * Has the tables belong to the agent's connection: nobody else changes them or flushes them (Linux 6.9). They stay
   * when it ends, and belong to nobody then. Default false.
   */
  readonly owned?: boolean;
  /** How long to wait for more, once something changed; default 20. */
  readonly coalesce?: number;
  /** How long the status outlives the agent; default 60,000. */
  readonly lease?: number;
  readonly deletions?: DeletionLimit;
  readonly backoff?: Backoff;
  /** Is told what happens, in words and with fields. */
  readonly log?: AgentLog;
}

export type LogLevel = 'info' | 'warning' | 'error';
export type AgentLog = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;
