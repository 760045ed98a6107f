import { toBytes } from '../datatype/byteorder.ts';
import { packetLog } from '../message/index.ts';
import type { NetworkInterface } from '../netlink/index.ts';
import { type FamilyName, families, findHook, type HookName } from '../protocol/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import { MessageWriter } from './netlink-message.ts';

/** A packet that meets a `log group N` statement, as a test tells of it; interfaces by their names. */
export interface FakePacket {
  readonly family: FamilyName;
  readonly hook?: HookName;
  readonly prefix?: string;
  readonly timestamp?: Date;
  readonly mark?: number;
  readonly indev?: string;
  readonly outdev?: string;
  readonly physindev?: string;
  readonly physoutdev?: string;
  /** As `02:00:00:00:00:01`. */
  readonly hwaddr?: string;
  readonly hwheader?: Uint8Array;
  readonly protocol?: number;
  readonly payload: Uint8Array;
}

const be = (value: number, length: number) => toBytes(BigInt(value), length, 'network');

/** The kernel's message about a packet. */
export function packetMessage(packet: FakePacket, interfaces: readonly NetworkInterface[]): Uint8Array {
  const index = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : interfaces.find((one) => one.name === name)?.index;
  const { family, hook, prefix, timestamp, mark, hwaddr, hwheader, protocol, payload } = packet;
  const header = Buffer.concat([
    be(protocol ?? 0, 2),
    Uint8Array.of(hook === undefined ? 0 : findHook(family, hook), 0),
  ]);
  const mac = hwaddr === undefined ? undefined : Buffer.from(hwaddr.replaceAll(':', ''), 'hex');
  const value: ValueOf<typeof packetLog> = {
    header,
    mark,
    timestamp:
      timestamp &&
      Buffer.concat([
        be(Math.floor(timestamp.getTime() / 1000), 8),
        be((timestamp.getTime() % 1000) * 1000, 8),
      ]),
    indev: index(packet.indev),
    outdev: index(packet.outdev),
    physindev: index(packet.physindev),
    physoutdev: index(packet.physoutdev),
    hwaddr: mac && Buffer.concat([be(mac.length, 2), be(0, 2), mac, new Uint8Array(8 - mac.length)]),
    payload,
    prefix,
    hwheader,
  };
  const out = new MessageWriter();
  out.log(families[family].number, packetLog, value);
  return out.bytes();
}
