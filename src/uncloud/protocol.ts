/** Protocols by name, for groups and filters. */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
};

/** Those whose header begins with two ports. */
export const WITH_PORTS: readonly number[] = [6, 17, 33, 132, 136];

/** The type that answers a type of ICMP or ICMPv6. */
export const ICMP_ANSWERS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  1: { 8: 0, 13: 14, 15: 16, 17: 18 },
  58: { 128: 129 },
};
