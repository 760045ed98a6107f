import { number, type PortModel } from './port.ts';
import { accept, drop, type Verdict } from './verdict.ts';

/** Fields of an ARP or RARP packet for Ethernet and IPv4 (RFC 826, RFC 903); undefined when cut off. */
function fields(packet: Buffer) {
  if (packet.length < 28) return undefined;
  return {
    header: packet.toString('hex', 0, 6),
    op: packet.readUInt16BE(6),
    sha: packet.toString('hex', 8, 14).replace(/(..)(?=.)/g, '$1:'),
    spa: number(packet.subarray(14, 18)),
    tha: packet.toString('hex', 18, 24).replace(/(..)(?=.)/g, '$1:'),
    tpa: number(packet.subarray(24, 28)),
  };
}

/** Hardware Ethernet, protocol IPv4, addresses of 6 and 4 bytes. */
const ETHERNET_IPV4 = '000108000604';

export function arp(port: PortModel, packet: Buffer): Verdict {
  const arp = fields(packet);
  if (!arp) return drop('ARP cut off');
  if (arp.header !== ETHERNET_IPV4) return drop('ARP for other hardware or protocols');
  if (arp.op !== 1 && arp.op !== 2) return drop('ARP that neither asks nor answers');
  if (arp.sha !== port.mac) return drop("ARP sender MAC is not the port's");
  if (port.owns4(arp.spa)) return accept('ARP from an own address');
  if (arp.spa !== 0n || arp.op !== 1) return drop("ARP sender address is not the port's");
  return port.owns4(arp.tpa)
    ? accept('ARP probe for an own address')
    : drop('ARP probe for a foreign address');
}

export function rarp(port: PortModel, packet: Buffer, destination: string): Verdict {
  const rarp = fields(packet);
  const isAnnouncement =
    rarp !== undefined &&
    destination === 'ff:ff:ff:ff:ff:ff' &&
    rarp.header === ETHERNET_IPV4 &&
    rarp.op === 3 &&
    rarp.sha === port.mac &&
    rarp.tha === port.mac &&
    rarp.spa === 0n &&
    rarp.tpa === 0n;
  return isAnnouncement ? accept("QEMU's announcement") : drop("RARP that is not QEMU's announcement");
}
