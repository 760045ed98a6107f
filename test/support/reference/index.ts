import { arp, rarp } from './arp.ts';
import { ipv4 } from './ipv4.ts';
import { ipv6 } from './ipv6.ts';
import type { PortModel } from './port.ts';
import { accept, drop, type Verdict } from './verdict.ts';

export { byFilter, type FilterRecord, type FilterRuleRecord } from './filter.ts';
export { byGroups, type GroupRecord, type Membership, type PeerRecord } from './group.ts';
export { type HostRecord, type NicRecord, type PolicyRecord, type PortModel, portModel } from './port.ts';
export type { Verdict } from './verdict.ts';

const MAC = /(..)(?=.)/g;

/** The MACs at the head of a frame. */
export function macsOf(frame: Buffer): { destination: string; source: string } {
  const hex = frame.toString('hex', 0, 12);
  return { destination: hex.slice(0, 12).replace(MAC, '$1:'), source: hex.slice(12).replace(MAC, '$1:') };
}

export const isGroup = (mac: string): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

/**
 * Port security as a plain function: may this frame leave the VM? It is written from the description of the
 * checks alone and shares nothing with what compiles them.
 */
export function fromVm(port: PortModel, frame: Buffer): Verdict {
  if (frame.length < 14) return drop('no Ethernet header');
  const { destination, source } = macsOf(frame);
  let [type, packet] = [frame.readUInt16BE(12), frame.subarray(14)];
  const isTagged = type === 0x8100 && frame.length >= 18 && port.tags(frame.readUInt16BE(14) & 0xfff);
  if (isTagged) [type, packet] = [frame.readUInt16BE(16), frame.subarray(18)];
  // QEMU announces untagged, whatever the guest does.
  const known = isTagged ? [0x0800, 0x86dd, 0x0806] : [0x0800, 0x86dd, 0x0806, 0x8035];
  if (!known.includes(type)) return drop('ethertype');
  if (source !== port.mac) return drop("source MAC is not the port's");
  if (type === 0x0800) return ipv4(port, packet);
  if (type === 0x86dd) return ipv6(port, packet);
  return type === 0x0806 ? arp(port, packet) : rarp(port, packet, destination);
}

/** May this frame come to the VM? */
export function toVm(port: PortModel, frame: Buffer): Verdict {
  const { destination } = macsOf(frame);
  const isTagged = frame.length >= 18 && frame.readUInt16BE(12) === 0x8100;
  if (isTagged && port.isTrunk && !port.tags(frame.readUInt16BE(14) & 0xfff))
    return drop("not the trunk's VLAN");
  if (isGroup(destination)) return accept('for all, or for a group');
  return destination === port.mac ? accept("for the port's MAC") : drop('for another MAC');
}
