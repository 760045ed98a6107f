import { count, ifname, mac } from '../addresses.ts';

/** A VM with one port. */
export interface BenchVm {
  readonly number: number;
  readonly ifname: string;
  readonly mac: string;
  /** Its IPv6 blocks, all of one length. */
  readonly blocks: readonly string[];
}

/** Ports take long to make, and a bridge has no more than 1023. */
const MOST_PORTS = 128;
/** Up to this many VMs, each has one block. */
const MOST_ALIKE = 1000;

/**
 * So many VMs. Some of them, spread evenly, have a port to send from; the rest stands in the tables alone. Of many
 * VMs those with a port own as many blocks together as there are VMs, so that frames can hit that many elements.
 */
export function machines(size: number, length: number): { vms: BenchVm[]; real: BenchVm[] } {
  const ports = Math.min(size, MOST_PORTS);
  const share = size > MOST_ALIKE ? Math.ceil(size / ports) : 1;
  const sending = new Set(count(ports, (i) => Math.floor((i * size) / ports)));
  const vms = count(size, (number): BenchVm => {
    const blocks = count(sending.has(number) ? share : 1, (k) => block(number, k, length));
    return { number, ifname: ifname(number), mac: mac(number), blocks };
  });
  return { vms, real: vms.filter(({ number }) => sending.has(number)) };
}

/** 2a0a, the VM's number, the block's. */
function network(i: number, k: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0x2a0a);
  bytes.writeUInt32BE(i, 2);
  bytes.writeUInt16BE(k, 6);
  return bytes;
}

const text = (address: Buffer) => (address.toString('hex').match(/.{4}/g) as string[]).join(':');

function block(i: number, k: number, length: number): string {
  const bytes = network(i, k);
  if (length === 128) bytes.writeUInt16BE(1, 14);
  return `${text(bytes)}/${length}`;
}

/** Bytes of each frame: Ethernet, IPv6, UDP and 12 more. */
export const FRAME = 74;

/** A UDP packet over IPv6 from the k-th block of the i-th VM to the gateway. */
export function writeFrame(
  into: Buffer,
  at: number,
  gateway: string,
  i: number,
  k: number,
  length: number,
): void {
  const hex = (address: string) => Buffer.from(address.replaceAll(':', ''), 'hex');
  hex(gateway).copy(into, at);
  hex(mac(i)).copy(into, at + 6);
  into.writeUInt16BE(0x86dd, at + 12);
  into.writeUInt8(0x60, at + 14);
  into.writeUInt16BE(FRAME - 54, at + 18);
  into.writeUInt8(17, at + 20);
  into.writeUInt8(64, at + 21);
  const source = network(i, k);
  if (length === 128) source.writeUInt16BE(1, 14);
  else source.writeUInt32BE((Math.imul(i + k + 1, 0x9e3779b1) | 1) >>> 0, 12);
  source.copy(into, at + 22);
  Buffer.from('20010db8000000000000000000000001', 'hex').copy(into, at + 38);
  into.writeUInt16BE(40_000, at + 54);
  into.writeUInt16BE(443, at + 56);
  into.writeUInt16BE(FRAME - 54, at + 58);
}
