import type { TcpOptionFields } from '../payload.ts';
import type { Dup, Fwd, Log, Queue, Reject, Statement, SynproxyState } from '../statement.ts';
import type { Value } from './expression.ts';
import { checkName } from './name.ts';
import { Operand } from './operand.ts';
import { worded } from './plain.ts';
import { type Reference, reference } from './stateful.ts';

/** The same properties, with operands where the model has expressions. */
export type WithValues<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: T[P] | Value };

/** Writes the packet to the kernel's log, or with `group` to nfnetlink_log: `log({ prefix: 'spoofed ' })`. */
export function log(options?: Log): Statement {
  return worded({ log: options ?? null });
}

/** Refuses the packet and tells the sender; without options with port-unreachable. */
export function reject(options?: Reject): Statement {
  return worded({ reject: options ?? null }) as Statement;
}

/** Hands the packet to a program: `queue({ num: range(0, 3), flags: ['fanout'] })`. */
export function queue(options?: WithValues<Queue, 'num'>): Statement {
  return worded({ queue: options ?? null }) as Statement;
}

/** Keeps conntrack from seeing the packet; prerouting and output before priority -200. */
export function notrack(): Statement {
  return worded({ notrack: null });
}

/** Sends a copy to an address, in family netdev through a device. */
export function dup(options: WithValues<Dup, 'addr' | 'dev'>): Statement {
  return worded({ dup: options }) as Statement;
}

/** Sends the packet out through a device; family netdev. */
export function fwd(options: WithValues<Fwd, 'dev' | 'addr'>): Statement {
  return worded({ fwd: options }) as Statement;
}

/** Puts the connection into a flowtable; forward hook of ip, ip6, inet. */
export function flow(flowtable: string): Statement {
  return worded({ flow: { op: 'add', flowtable: `@${checkName('flowtable', flowtable)}` } });
}

/** Answers TCP handshakes in the server's place, with options of its own or of a named synproxy. */
export function synproxy(options?: SynproxyState | Reference): Statement {
  const named = typeof options === 'string' || options instanceof Operand;
  return worded({ synproxy: named ? reference('synproxy', options) : (options ?? null) });
}

/** Removes a TCP option from the packet (Linux 5.18). */
export function resetTcpOption(name: keyof TcpOptionFields): Statement {
  return worded({ reset: { 'tcp option': { name } } });
}
