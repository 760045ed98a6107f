/** Packets of DHCP clients and servers, made by hand. */

const bytesOf = (text: string): Buffer =>
  Buffer.from(
    text.split(/[.:]/).map((part) => (text.includes('.') ? Number(part) : Number.parseInt(part, 16))),
  );
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

export function udp(sport: number, dport: number, data: Uint8Array): Buffer {
  return Buffer.concat([u16(sport), u16(dport), u16(8 + data.length), u16(0), data]);
}

export function ipv4(source: string, target: string, data: Uint8Array, protocol = 17, fragment = 0): Buffer {
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    u16(20 + data.length),
    u16(1),
    u16(fragment),
    Buffer.from([64, protocol, 0, 0]),
    bytesOf(source),
    bytesOf(target),
  ]);
  let sum = 0;
  for (let at = 0; at < head.length; at += 2) sum += head.readUInt16BE(at);
  sum = (sum & 0xffff) + (sum >> 16);
  head.writeUInt16BE(~(sum + (sum >> 16)) & 0xffff, 10);
  return Buffer.concat([head, data]);
}

/** An IPv6 address, written out in eight groups. */
export function ip6(text: string): Buffer {
  const [before = '', after] = text.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((one) => Number.parseInt(one, 16));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all =
    after === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.concat(all.map(u16));
}

export function ipv6(source: string, target: string, data: Uint8Array, next = 17): Buffer {
  const head = Buffer.concat([
    u32(0x60000000),
    u16(data.length),
    Buffer.from([next, 255]),
    ip6(source),
    ip6(target),
  ]);
  return Buffer.concat([head, data]);
}

export const option = (code: number, data: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([code, data.length]), data]);

export const DHCP = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 };

export interface Dhcp {
  readonly op?: number;
  readonly type: keyof typeof DHCP;
  readonly xid: number;
  readonly mac: string;
  readonly has?: string;
  readonly given?: string;
  readonly lease?: number;
  readonly options?: readonly Uint8Array[];
  readonly sname?: Uint8Array;
  readonly file?: Uint8Array;
}

const padded = (data: Uint8Array, length: number) =>
  Buffer.concat([data, Buffer.alloc(length - data.length)]);

export function dhcp(message: Dhcp): Buffer {
  const { op = 1, type, xid, mac, has = '0.0.0.0', given = '0.0.0.0', lease, options = [] } = message;
  return Buffer.concat([
    Buffer.from([op, 1, 6, 0]),
    u32(xid),
    Buffer.alloc(4),
    bytesOf(has),
    bytesOf(given),
    Buffer.alloc(8),
    padded(bytesOf(mac), 16),
    padded(message.sname ?? Buffer.alloc(0), 64),
    padded(message.file ?? Buffer.alloc(0), 128),
    u32(0x63825363),
    option(53, Buffer.from([DHCP[type]])),
    ...(lease === undefined ? [] : [option(51, u32(lease))]),
    ...options,
    Buffer.from([255]),
  ]);
}

export const option6 = (code: number, data: Uint8Array): Buffer =>
  Buffer.concat([u16(code), u16(data.length), data]);

export const DHCP6 = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
};

export const status = (code: number) => option6(13, Buffer.concat([u16(code), Buffer.from('why')]));

export function iaAddress(address: string, valid: number, ...options: Uint8Array[]): Buffer {
  return option6(5, Buffer.concat([ip6(address), u32(valid), u32(valid), ...options]));
}

export function iaNa(...options: Uint8Array[]): Buffer {
  return option6(3, Buffer.concat([u32(1), u32(0), u32(0), ...options]));
}

export function dhcp6(type: keyof typeof DHCP6, transaction: number, ...options: Uint8Array[]): Buffer {
  const head = u32(transaction);
  head[0] = DHCP6[type];
  return Buffer.concat([head, option6(1, Buffer.from([0, 3, 0, 1, 2, 0, 0, 0, 0, 1])), ...options]);
}

export function arp(mac: string, sender: string, target: string, op = 1): Buffer {
  return Buffer.concat([
    Buffer.from('0001080006040000', 'hex').fill(op, 7),
    bytesOf(mac),
    bytesOf(sender),
    Buffer.alloc(6),
    bytesOf(target),
  ]);
}
