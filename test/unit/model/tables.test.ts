import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datatypes } from '../../../src/datatype/index.ts';
import type {
  CtKey,
  DatatypeName,
  ExthdrFields,
  IpOptionFields,
  MetaKey,
  PayloadFields,
  SctpChunkFields,
  TcpOptionFields,
} from '../../../src/model/index.ts';
import {
  ctKeys,
  exthdrs,
  headers,
  ipOptions,
  metaKeys,
  sctpChunks,
  tcpOptions,
} from '../../../src/protocol/index.ts';

/** Exactly these names: leaving one out, or adding one, does not compile. */
interface Listed<Names extends string> {
  readonly all: { readonly [N in Names]: null };
  /** Never set: keeps a longer list from passing for a shorter one. */
  readonly any?: Names;
}

/** The same for the fields of each part. */
type ListedFields<Fields> = { readonly [P in keyof Fields]: Listed<Fields[P] & string> };

type Word<W extends string> = W extends `${infer First}|${infer Rest}` ? First | Word<Rest> : W;

function list<const W extends string>(...words: W[]): Listed<Word<W>> {
  const entries = words.flatMap((part) => part.split('|')).map((word) => [word, null]);
  return { all: Object.fromEntries(entries) };
}

const names = (table: object) => Object.keys(table).sort();

function sameFields(
  listed: { readonly [part: string]: { readonly all: object } },
  table: Readonly<Record<string, { readonly fields: object }>>,
) {
  const fields = Object.entries(table).filter(([, part]) => Object.keys(part.fields).length > 0);
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(listed as Record<string, Listed<never>>).map(([part, { all }]) => [part, names(all)]),
    ),
    Object.fromEntries(fields.map(([part, layout]) => [part, names(layout.fields)])),
  );
}

test('the types name the headers and fields that the protocol tables have', () => {
  const fields: ListedFields<PayloadFields> = {
    ether: list('daddr|saddr|type'),
    vlan: list('pcp|dei|cfi|id|type'),
    arp: list('htype|ptype|hlen|plen|operation|saddr ether|saddr ip|daddr ether|daddr ip'),
    ip: list('version|hdrlength|dscp|ecn|length|id|frag-off|ttl|protocol|checksum|saddr|daddr'),
    ip6: list('version|dscp|ecn|flowlabel|length|nexthdr|hoplimit|saddr|daddr'),
    icmp: list('type|code|checksum|id|sequence|gateway|mtu'),
    igmp: list('type|mrt|checksum|group'),
    icmpv6: list('type|code|checksum|parameter-problem|mtu|id|sequence|max-delay|taddr|daddr'),
    ah: list('nexthdr|hdrlength|reserved|spi|sequence'),
    esp: list('spi|sequence'),
    comp: list('nexthdr|flags|cpi'),
    udp: list('sport|dport|length|checksum'),
    udplite: list('sport|dport|csumcov|checksum'),
    tcp: list('sport|dport|sequence|ackseq|doff|reserved|flags|window|checksum|urgptr'),
    dccp: list('sport|dport|type'),
    sctp: list('sport|dport|vtag|checksum'),
    th: list('sport|dport'),
    gre: list('flags|version|protocol'),
    vxlan: list('vni|flags'),
    geneve: list('vni|type'),
  };
  sameFields(fields, headers);
});

test('the types name the extension headers, options and chunks that the protocol tables have', () => {
  const exthdr: ListedFields<ExthdrFields> = {
    hbh: list('nexthdr|hdrlength'),
    rt: list('nexthdr|hdrlength|type|seg-left'),
    rt0: list('reserved|addr[1]|addr[2]'),
    rt2: list('reserved|addr'),
    srh: list('last-entry|flags|tag|sid[1]|sid[2]'),
    frag: list('nexthdr|reserved|frag-off|reserved2|more-fragments|id'),
    dst: list('nexthdr|hdrlength'),
    mh: list('nexthdr|hdrlength|type|reserved|checksum'),
  };
  sameFields(exthdr, exthdrs);

  const sack = list('kind|length|left|right');
  const tcpOption: ListedFields<TcpOptionFields> = {
    eol: list('kind'),
    nop: list('kind'),
    maxseg: list('kind|length|size'),
    window: list('kind|length|count'),
    'sack-perm': list('kind|length'),
    sack,
    sack0: sack,
    sack1: sack,
    sack2: sack,
    sack3: sack,
    timestamp: list('kind|length|tsval|tsecr'),
    fastopen: list('kind|length'),
    md5sig: list('kind|length'),
    mptcp: list('kind|length|subtype'),
  };
  sameFields(tcpOption, tcpOptions);

  const route = list('type|length|ptr|addr');
  const ipOption: ListedFields<IpOptionFields> = {
    lsrr: route,
    rr: route,
    ssrr: route,
    ra: list('type|length|value'),
  };
  sameFields(ipOption, ipOptions);

  const chunk = list('type|flags|length');
  const init = list('type|flags|length|init-tag|a-rwnd|num-outbound-streams|num-inbound-streams|initial-tsn');
  const sctpChunk: ListedFields<SctpChunkFields> = {
    data: list('type|flags|length|tsn|stream|ssn|ppid'),
    init,
    'init-ack': init,
    sack: list('type|flags|length|cum-tsn-ack|a-rwnd|num-gap-ack-blocks|num-dup-tsns'),
    heartbeat: chunk,
    'heartbeat-ack': chunk,
    abort: chunk,
    shutdown: list('type|flags|length|cum-tsn-ack'),
    'shutdown-ack': chunk,
    error: chunk,
    'cookie-echo': chunk,
    'cookie-ack': chunk,
    ecne: list('type|flags|length|lowest-tsn'),
    cwr: list('type|flags|length|lowest-tsn'),
    'shutdown-complete': chunk,
    'asconf-ack': list('type|flags|length|seqno'),
    'forward-tsn': list('type|flags|length|new-cum-tsn'),
    asconf: list('type|flags|length|seqno'),
  };
  sameFields(sctpChunk, sctpChunks);
});

test('the types name the keys of meta and ct that the protocol tables have', () => {
  const meta: Listed<MetaKey> = list(
    'length|protocol|nfproto|l4proto|priority|mark|pkttype|cpu|cgroup|random|ipsec|secmark',
    'iif|iifname|iiftype|iifkind|iifgroup|oif|oifname|oiftype|oifkind|oifgroup|sdif|sdifname',
    'skuid|skgid|nftrace|rtclassid|ibrname|obrname|ibrpvid|ibrvproto|ibrhwaddr|broute|time|day|hour',
  );
  assert.deepEqual(names(meta.all), names(metaKeys));

  const ct: Listed<CtKey> = list(
    'state|direction|status|mark|secmark|expiration|helper|label|event|id|l3proto|protocol|zone',
    'saddr|daddr|ip saddr|ip daddr|ip6 saddr|ip6 daddr|proto-src|proto-dst|bytes|packets|avgpkt',
  );
  assert.deepEqual(names(ct.all), names(ctKeys));
});

test('every data type that a set can have says how its values are written', () => {
  const types: Listed<DatatypeName> = list(
    'nf_proto|integer|xinteger|bitmask|string|ll_addr|ether_addr|ether_type|arp_op|ipv4_addr|ipv6_addr',
    'inet_proto|inet_service|icmp_type|icmp_code|icmpv6_type|icmpv6_code|icmpx_code|igmp_type',
    'tcp_flag|dccp_pkttype|mh_type|dscp|ecn|mark|realm|classid|iface_index|iface_type|ifname|uid|gid',
    'pkt_type|devgroup|cgroupsv2|time|date|hour|day|ct_state|ct_dir|ct_status|ct_label|ct_event',
    'fib_addrtype|boolean',
  );
  assert.deepEqual([...names(types.all), 'verdict'].sort(), names(datatypes));
});
