import { LOG_PACKET, type LogConfig, packetLog } from '../message/index.ts';
import type { Family, TraceInterface } from '../model/index.ts';
import { familyByNumber, type HookName, hookByNumber } from '../protocol/index.ts';
import { readUint, readUint64 } from '../wire/attribute-reader.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import { Feed } from './feed.ts';
import { InterfaceNames } from './interface-names.ts';
import { readMessages } from './message.ts';
import type { Abortable } from './request.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import type { Transport } from './transport.ts';

/** Which packets to receive, and how. */
export interface LogOptions extends Abortable, SubscriptionOptions {
  /** The number that `log group N` says: 0 to 65535. In a network namespace each has one listener at most. */
  readonly group: number;
  /** Bytes of each packet that are told, 0 to 65,535; all by default. A rule's `snaplen` may say less. */
  readonly range?: number;
  /**
   * Packets that the kernel puts together before it tells of them, 1 by default: each comes at once. A rule's
   * `queue-threshold` may say less.
   */
  readonly threshold?: number;
  /** How long packets wait for others at most, where `threshold` is more than 1: milliseconds, 1,000 by default. */
  readonly timeout?: number;
}

/** A packet that met a `log group N` statement. */
export interface LoggedPacket {
  readonly overrun: false;
  /** The family that the packet was met in; what chains of family `inet` log is of `ip` or `ip6`. */
  readonly family: Family;
  readonly hook?: HookName;
  /** What the statement's `prefix` says, empty where nothing. */
  readonly prefix: string;
  /** When the packet came in, if its time was taken: seldom that of packets of this machine's own. */
  readonly timestamp?: Date;
  readonly mark?: number;
  /** The interface that it came in by, or leaves by; in family bridge the bridge. */
  readonly indev?: TraceInterface;
  readonly outdev?: TraceInterface;
  /** The port of the bridge: always in family bridge, elsewhere for packets that came over a bridge. */
  readonly physindev?: TraceInterface;
  readonly physoutdev?: TraceInterface;
  /** The link-layer address of the sender, where the hook knows it (not in output and postrouting). */
  readonly hwaddr?: string;
  /** The link-layer header, where the hook knows it. */
  readonly hwheader?: Uint8Array;
  /** The Ethernet type of the payload: 0x0800 for IPv4. */
  readonly protocol?: number;
  /** The tag that was taken off a frame (Linux 4.18). */
  readonly vlan?: { readonly id: number; readonly priority: number };
  /** Of packets of this machine's own: whose socket they come from. */
  readonly uid?: number;
  readonly gid?: number;
  /** Counts the packets of the group: a gap tells how many were lost. */
  readonly sequence?: number;
  /** The packet from its network header on; at netdev egress from the link-layer header on. */
  readonly payload: Uint8Array;
}

/** Packets came faster than they were read, and some are lost. */
export interface LogOverrun {
  readonly overrun: true;
}

export type LogEvent = LoggedPacket | LogOverrun;

const MOST = 0xffff;
const TIMEOUT = 1000;

/** Receives logged packets: see `Connection.logged`. */
export function logged(transport: Transport, options: LogOptions): Feed<LogEvent> {
  const subscription = transport.listen(configOf(options), options);
  return new Feed(subscription, (from) => packets(transport, from, options), options);
}

function configOf({ group, range = MOST, threshold = 1, timeout = TIMEOUT }: LogOptions): LogConfig {
  const whole = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new RangeError(`${name}: ${value} is no whole number from ${least} to ${most}`);
    return value;
  };
  return {
    group: whole('group', group, 0, MOST),
    range: whole('range', range, 0, MOST),
    threshold: whole('threshold', threshold, 1, MOST),
    // The kernel counts hundredths of a second.
    timeout: Math.max(1, Math.ceil(whole('timeout', timeout, 0, 3_600_000) / 10)),
  };
}

async function* packets(
  transport: Transport,
  subscription: Subscription,
  options: Abortable,
): AsyncGenerator<LogEvent, void, undefined> {
  const names = new InterfaceNames(transport, options);
  try {
    for (let news = await subscription.read(); news !== undefined; news = await subscription.read()) {
      for (const message of readMessages(news.messages)) {
        const family = familyByNumber(message.family)?.name;
        if (message.type !== LOG_PACKET || family === undefined) continue;
        yield await readPacket(family, decodeOpen(packetLog, message.attributes).value, names);
      }
      if (news.overrun) yield { overrun: true };
    }
  } catch (error) {
    if (!subscription.closed) throw error;
  }
}

type Told = Partial<ValueOf<typeof packetLog>>;

async function readPacket(family: Family, value: Told, names: InterfaceNames): Promise<LoggedPacket> {
  const { header, prefix = '', timestamp, hwaddr, mark, hwheader, vlan, uid, gid, sequence } = value;
  const hook = header === undefined ? undefined : hookByNumber(family, header[2] as number);
  const device = async (name: string, index: number | undefined) =>
    index === undefined ? {} : { [name]: await names.of(index, value.hwtype) };
  return {
    overrun: false,
    family,
    ...(hook !== undefined && { hook }),
    prefix,
    ...(timestamp !== undefined && { timestamp: dateOf(timestamp) }),
    ...(mark !== undefined && { mark }),
    ...(await device('indev', value.indev)),
    ...(await device('outdev', value.outdev)),
    ...(await device('physindev', value.physindev)),
    ...(await device('physoutdev', value.physoutdev)),
    ...(hwaddr !== undefined && { hwaddr: addressOf(hwaddr) }),
    ...(hwheader !== undefined && { hwheader }),
    ...(header !== undefined && { protocol: readUint(header, 0, 2, 2) }),
    ...(vlan?.tci !== undefined && { vlan: { id: vlan.tci & 0xfff, priority: vlan.tci >> 13 } }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(sequence !== undefined && { sequence }),
    payload: value.payload ?? new Uint8Array(0),
  };
}

function dateOf(bytes: Uint8Array): Date {
  return new Date(Number(readUint64(bytes, 0, 8)) * 1000 + Number(readUint64(bytes, 8, 16)) / 1000);
}

/** A length, and as many bytes behind it. */
function addressOf(bytes: Uint8Array): string {
  const length = Math.min(readUint(bytes, 0, 2, 2), bytes.length - 4);
  return Buffer.from(bytes.subarray(4, 4 + length))
    .toString('hex')
    .replace(/..(?!$)/g, '$&:');
}
