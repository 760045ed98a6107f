/**
 * The fields of each packet header, in nft's words (`nft describe`, proto.c). `th` stands for whatever
 * transport header there is; `daddr` of icmpv6 is a redirect's destination.
 */
export interface PayloadFields {
  ether: 'daddr' | 'saddr' | 'type';
  /** `cfi` is the older name of `dei`. */
  vlan: 'pcp' | 'dei' | 'cfi' | 'id' | 'type';
  arp: 'htype' | 'ptype' | 'hlen' | 'plen' | 'operation' | `${'saddr' | 'daddr'} ${'ether' | 'ip'}`;
  ip:
    | 'version'
    | 'hdrlength'
    | 'dscp'
    | 'ecn'
    | 'length'
    | 'id'
    | 'frag-off'
    | 'ttl'
    | 'protocol'
    | 'checksum'
    | 'saddr'
    | 'daddr';
  ip6: 'version' | 'dscp' | 'ecn' | 'flowlabel' | 'length' | 'nexthdr' | 'hoplimit' | 'saddr' | 'daddr';
  icmp: 'type' | 'code' | 'checksum' | 'id' | 'sequence' | 'gateway' | 'mtu';
  igmp: 'type' | 'mrt' | 'checksum' | 'group';
  icmpv6:
    | 'type'
    | 'code'
    | 'checksum'
    | 'parameter-problem'
    | 'mtu'
    | 'id'
    | 'sequence'
    | 'max-delay'
    | 'taddr'
    | 'daddr';
  ah: 'nexthdr' | 'hdrlength' | 'reserved' | 'spi' | 'sequence';
  esp: 'spi' | 'sequence';
  comp: 'nexthdr' | 'flags' | 'cpi';
  udp: 'sport' | 'dport' | 'length' | 'checksum';
  udplite: 'sport' | 'dport' | 'csumcov' | 'checksum';
  tcp:
    | 'sport'
    | 'dport'
    | 'sequence'
    | 'ackseq'
    | 'doff'
    | 'reserved'
    | 'flags'
    | 'window'
    | 'checksum'
    | 'urgptr';
  dccp: 'sport' | 'dport' | 'type';
  sctp: 'sport' | 'dport' | 'vtag' | 'checksum';
  th: 'sport' | 'dport';
  gre: 'flags' | 'version' | 'protocol';
  vxlan: 'vni' | 'flags';
  geneve: 'vni' | 'type';
}

/** A header whose fields have names. */
export type PayloadProtocol = keyof PayloadFields;

/** Tunnels whose inner headers can be matched (Linux 6.2). */
export type TunnelProtocol = 'vxlan' | 'geneve' | 'gre' | 'gretap';

/**
 * Where a raw payload's offset counts from: link layer, network layer or transport header, or what
 * follows the transport header (`ih`, Linux 5.16).
 */
export type PayloadBase = 'll' | 'nh' | 'th' | 'ih';

/** A header field by name. `tunnel`: of the packet inside that tunnel. */
export type NamedPayload = {
  [P in PayloadProtocol]: {
    readonly protocol: P;
    readonly field: PayloadFields[P];
    readonly tunnel?: TunnelProtocol;
  };
}[PayloadProtocol];

/** Any bits of the packet: `offset` and `len` are in bits. */
export interface RawPayload {
  readonly base: PayloadBase;
  readonly offset: number;
  readonly len: number;
  readonly tunnel?: TunnelProtocol;
}

export type Payload = NamedPayload | RawPayload;

/** Fields of the IPv6 extension headers, in nft's words (exthdr.c). */
export interface ExthdrFields {
  hbh: 'nexthdr' | 'hdrlength';
  rt: 'nexthdr' | 'hdrlength' | 'type' | 'seg-left';
  rt0: 'reserved' | 'addr[1]' | 'addr[2]';
  rt2: 'reserved' | 'addr';
  srh: 'last-entry' | 'flags' | 'tag' | 'sid[1]' | 'sid[2]';
  frag: 'nexthdr' | 'reserved' | 'frag-off' | 'reserved2' | 'more-fragments' | 'id';
  dst: 'nexthdr' | 'hdrlength';
  mh: 'nexthdr' | 'hdrlength' | 'type' | 'reserved' | 'checksum';
}

/** Fields of TCP options, in nft's words (tcpopt.c). `sack0` to `sack3` are the blocks of `sack`. */
export interface TcpOptionFields {
  eol: 'kind';
  nop: 'kind';
  maxseg: 'kind' | 'length' | 'size';
  window: 'kind' | 'length' | 'count';
  'sack-perm': 'kind' | 'length';
  sack: 'kind' | 'length' | 'left' | 'right';
  sack0: 'kind' | 'length' | 'left' | 'right';
  sack1: 'kind' | 'length' | 'left' | 'right';
  sack2: 'kind' | 'length' | 'left' | 'right';
  sack3: 'kind' | 'length' | 'left' | 'right';
  timestamp: 'kind' | 'length' | 'tsval' | 'tsecr';
  fastopen: 'kind' | 'length';
  md5sig: 'kind' | 'length';
  mptcp: 'kind' | 'length' | 'subtype';
}

/** Fields of IPv4 options, in nft's words (ipopt.c). */
export interface IpOptionFields {
  lsrr: 'type' | 'length' | 'ptr' | 'addr';
  rr: 'type' | 'length' | 'ptr' | 'addr';
  ssrr: 'type' | 'length' | 'ptr' | 'addr';
  ra: 'type' | 'length' | 'value';
}

type ChunkHeader = 'type' | 'flags' | 'length';
type InitFields =
  | ChunkHeader
  | 'init-tag'
  | 'a-rwnd'
  | 'num-outbound-streams'
  | 'num-inbound-streams'
  | 'initial-tsn';

/** Fields of SCTP chunks, in nft's words (sctp_chunk.c). */
export interface SctpChunkFields {
  data: ChunkHeader | 'tsn' | 'stream' | 'ssn' | 'ppid';
  init: InitFields;
  'init-ack': InitFields;
  sack: ChunkHeader | 'cum-tsn-ack' | 'a-rwnd' | 'num-gap-ack-blocks' | 'num-dup-tsns';
  heartbeat: ChunkHeader;
  'heartbeat-ack': ChunkHeader;
  abort: ChunkHeader;
  shutdown: ChunkHeader | 'cum-tsn-ack';
  'shutdown-ack': ChunkHeader;
  error: ChunkHeader;
  'cookie-echo': ChunkHeader;
  'cookie-ack': ChunkHeader;
  ecne: ChunkHeader | 'lowest-tsn';
  cwr: ChunkHeader | 'lowest-tsn';
  'shutdown-complete': ChunkHeader;
  'asconf-ack': ChunkHeader | 'seqno';
  'forward-tsn': ChunkHeader | 'new-cum-tsn';
  asconf: ChunkHeader | 'seqno';
}

/** A field of a part that may be absent; without `field`, whether the part is there at all. */
export type OptionalPart<Fields> = {
  [N in keyof Fields]: { readonly name: N; readonly field?: Fields[N] };
}[keyof Fields];

/**
 * A field of an IPv6 extension header.
 *
 * `offset` goes with `rt0` alone, whose addresses nft counts from the named one on.
 */
export type Exthdr = OptionalPart<ExthdrFields> & { readonly offset?: number };

/** A field of a TCP option, or bits of the option whose number is `base` (`offset` and `len` in bits). */
export type TcpOption =
  | OptionalPart<TcpOptionFields>
  | { readonly base: number; readonly offset: number; readonly len: number };

export type IpOption = OptionalPart<IpOptionFields>;

/** Linux 5.14. */
export type SctpChunk = OptionalPart<SctpChunkFields>;

/** Whether the DCCP option of this number is there (Linux 6.5). */
export interface DccpOption {
  readonly type: number;
}
