import { number, type PortModel } from './port.ts';
import { accept, drop, either, type Verdict } from './verdict.ts';

const IGMP = 2;
const UDP = 17;
const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;
const MEMBERSHIP_QUERY = 0x11;
const BROADCAST = 0xffff_ffffn;

export function ipv4(port: PortModel, packet: Buffer): Verdict {
  const headerLength = ((packet[0] ?? 0) & 15) * 4;
  if (packet.length < 20 || (packet[0] ?? 0) >> 4 !== 4 || headerLength < 20) return drop('no IPv4 header');
  const totalLength = packet.readUInt16BE(2);
  if (totalLength < headerLength || totalLength > packet.length) return drop('IPv4 lengths do not fit');
  const fragmentation = packet.readUInt16BE(6);
  const isLater = (fragmentation & 0x1fff) !== 0;
  const isWhole = (fragmentation & 0x3fff) === 0;
  const protocol = packet.readUInt8(9);
  const source = number(packet.subarray(12, 16));
  const payload = packet.subarray(headerLength, totalLength);
  const [sport, dport] = payload.length < 4 ? [] : [payload.readUInt16BE(0), payload.readUInt16BE(2)];

  if (!port.owns4(source)) {
    if (source !== 0n) return drop("IPv4 source is not the port's");
    if (protocol !== UDP || !isWhole || number(packet.subarray(16, 20)) !== BROADCAST)
      return drop('0.0.0.0 without a DHCP request');
    if (sport === undefined) return either('a request cut off before its ports');
    return sport === DHCP_CLIENT && dport === DHCP_SERVER
      ? accept('DHCP request')
      : drop('0.0.0.0 without a DHCP request');
  }
  if (isLater) return accept('later IPv4 fragment from an own address');
  if (protocol === UDP) {
    if (sport === undefined) return either('UDP cut off before its ports');
    return (sport !== DHCP_SERVER && dport !== DHCP_CLIENT) || port.isPrivate
      ? accept('UDP from an own address')
      : drop('DHCP server');
  }
  if (protocol === IGMP) {
    if (payload.length < 1) return either('IGMP without a type');
    return payload[0] === MEMBERSHIP_QUERY ? drop('IGMP query') : accept('IGMP from an own address');
  }
  return accept('IPv4 from an own address');
}
