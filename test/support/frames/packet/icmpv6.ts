import { address, concat, mac, u8, u16, u32, zeros } from './bytes.ts';
import { type Layer, withChecksum } from './layer.ts';

/** Any message: type, code 0, checksum, and the body after them. */
export function icmpv6(type: number, body: Uint8Array = zeros(4)): Layer {
  const protocol = 58;
  return {
    protocol,
    bytes: (addresses) => withChecksum(concat(u8(type, 0), u16(0), body), 2, protocol, addresses),
  };
}

export const ECHO_REQUEST = 128;
export const MLD_QUERY = 130;
export const MLD_V1_REPORT = 131;
export const ROUTER_RENUMBERING = 138;
export const MLD_V2_REPORT = 143;

export const echoRequest = (): Layer => icmpv6(ECHO_REQUEST, zeros(20));

/** A link-layer address option (RFC 4861 4.6.1): 1 the source's, 2 the target's. */
export const linkLayer = (type: 1 | 2, address: string): Buffer => concat(u8(type, 1), mac(address));

/** The option that tells one's own duplicate address probe from another's (RFC 3971 5.3.2, RFC 7527). */
export const NONCE = u8(14, 1, 1, 2, 3, 4, 5, 6);

export const routerSolicitation = (...options: Buffer[]): Layer => icmpv6(133, concat(zeros(4), ...options));

/** An advertisement of a router for half an hour, with a prefix to make addresses from (RFC 4861 4.2). */
export function routerAdvertisement(prefix: string, ...options: Buffer[]): Layer {
  const head = concat(u8(64, 0), u16(1800), u32(0), u32(0));
  const information = concat(u8(3, 4, 64, 0xc0), u32(86400), u32(14400), u32(0), address(prefix));
  return icmpv6(134, concat(head, information, ...options));
}

export const neighbourSolicitation = (target: string, ...options: Buffer[]): Layer =>
  icmpv6(135, concat(zeros(4), address(target), ...options));

export const NA_ROUTER = 0x80;
export const NA_SOLICITED = 0x40;
export const NA_OVERRIDE = 0x20;

export const neighbourAdvertisement = (target: string, flags: number, ...options: Buffer[]): Layer =>
  icmpv6(136, concat(u8(flags, 0, 0, 0), address(target), ...options));

export const redirect = (target: string, destination: string): Layer =>
  icmpv6(137, concat(zeros(4), address(target), address(destination)));

/** A general query, or one of version 2 (RFC 2710, RFC 3810). */
export const mldQuery = (version: 1 | 2): Layer =>
  icmpv6(MLD_QUERY, concat(u16(1000, 0), zeros(16), version === 2 ? u8(2, 125, 0, 0) : zeros(0)));

export const mldV1Report = (group: string): Layer => icmpv6(MLD_V1_REPORT, concat(u16(0, 0), address(group)));

/** Joins a group: one record that excludes no source. */
export const mldV2Report = (group: string): Layer =>
  icmpv6(MLD_V2_REPORT, concat(u16(0, 1), u8(4, 0), u16(0), address(group)));
