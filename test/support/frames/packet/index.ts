export * from './arp.ts';
export { address, concat, u8, u16, zeros } from './bytes.ts';
export * from './dhcp.ts';
export * from './ethernet.ts';
export * from './icmpv6.ts';
export { type Ipv4, ipv4, ROUTER_ALERT as IPV4_ROUTER_ALERT } from './ipv4.ts';
export {
  authentication,
  destinationOptions,
  type Fragment,
  fragment,
  hopByHop,
  type Ipv6,
  ipv6,
  multicastMac,
  ROUTER_ALERT as IPV6_ROUTER_ALERT,
  routing,
  solicitedNode,
} from './ipv6.ts';
export { type Layer, type Packet, raw, slice } from './layer.ts';
export * from './transport.ts';
