/**
 * Writes the rules of `rules/` that go through the tables field by field: every field of every header, every key,
 * with each operator and in turn in each family that has it. The other files there are written by hand.
 *
 *     node --import tsx test/corpus/generate.ts
 */
import { writeFileSync } from 'node:fs';
import type { DatatypeName } from '../../src/datatype/index.ts';
import { ctKeys, exthdrs, headers, ipOptions, metaKeys, tcpOptions } from '../../src/protocol/index.ts';

/** Where a rule stands: family, chain type, hook. */
const chains = {
  ip: 'ip filter input',
  ip6: 'ip6 filter input',
  inet: 'inet filter input',
  bridge: 'bridge filter prerouting',
  netdev: 'netdev filter ingress device lo',
  arp: 'arp filter input',
} as const;
type Place = keyof typeof chains;

const ipv4: readonly Place[] = ['ip', 'inet', 'bridge', 'netdev'];
const ipv6: readonly Place[] = ['ip6', 'inet', 'bridge', 'netdev'];
const layer4: readonly Place[] = ['inet', 'ip', 'bridge', 'ip6', 'netdev'];
const link: readonly Place[] = ['bridge', 'netdev', 'inet', 'ip'];

/** Families that have a header; no row: nft 1.0.6 does not know the header. */
const legal: Readonly<Record<string, readonly Place[]>> = {
  ether: link,
  vlan: ['bridge', 'netdev'],
  arp: ['arp', 'bridge', 'netdev'],
  ip: ipv4,
  ip6: ipv6,
  icmp: ipv4,
  igmp: ipv4,
  icmpv6: ipv6,
  ...Object.fromEntries(
    ['ah', 'esp', 'comp', 'udp', 'udplite', 'tcp', 'dccp', 'sctp', 'th'].map((name) => [name, layer4]),
  ),
};

/** Three values of a type, in ascending order. */
const symbols: Partial<Record<DatatypeName, readonly [string, string, string]>> = {
  ipv4_addr: ['10.20.30.40', '172.16.5.9', '203.0.113.77'],
  ipv6_addr: ['2001:db8::25', '2001:db8:7::1', 'fd00:12::9'],
  ether_addr: ['02:11:22:33:44:55', '52:54:00:ab:cd:ef', 'ae:00:00:00:00:01'],
  ether_type: ['ip', 'arp', 'ip6'],
  arp_op: ['request', 'reply', 'rrequest'],
  inet_proto: ['icmp', 'tcp', 'udp'],
  inet_service: ['22', '443', '8443'],
  icmp_type: ['echo-reply', 'destination-unreachable', 'time-exceeded'],
  icmp_code: ['net-unreachable', 'port-unreachable', 'admin-prohibited'],
  icmpv6_type: ['packet-too-big', 'echo-request', 'nd-neighbor-solicit'],
  icmpv6_code: ['no-route', 'addr-unreachable', 'port-unreachable'],
  igmp_type: ['membership-query', 'membership-report-v1', 'leave-group'],
  tcp_flag: ['fin', 'syn', 'ack'],
  dccp_pkttype: ['request', 'data', 'reset'],
  mh_type: ['home-test', 'binding-update', 'binding-error'],
  dscp: ['cs1', 'af21', 'ef'],
  ecn: ['not-ect', 'ect1', 'ce'],
  mark: ['0x10', '0x200', '0xcafe0000'],
  ifname: ['"eth0"', '"veth12"', '"wan"'],
  iface_index: ['"lo"', '7', '12'],
  iface_type: ['ether', 'ppp', 'loopback'],
  nf_proto: ['ipv4', 'ipv6', '12'],
  pkt_type: ['host', 'broadcast', 'multicast'],
  uid: ['0', '1001', '65534'],
  gid: ['0', '100', '2000'],
  realm: ['3', '40', '900'],
  classid: ['1:0', '1:10', 'beef:7'],
  devgroup: ['0', '5', '77'],
  ct_state: ['established', 'new', 'untracked'],
  ct_dir: ['original', 'reply', 'reply'],
  ct_status: ['expected', 'assured', 'dnat'],
  ct_label: ['1', '44', '127'],
  time: ['30s', '5m', '2h'],
  boolean: ['missing', 'exists', 'exists'],
  day: ['Monday', 'Wednesday', 'Saturday'],
  hour: ['"04:00"', '"09:30"', '"18:15:30"'],
  date: ['"2031-01-01 10:00:00"', '"2031-06-30 23:59:59"', '"2032-02-29 00:00:00"'],
  string: ['"ftp"', '"sip"', '"tftp"'],
};

/** Prefixes of addresses, for their masks. */
const prefixes: Partial<Record<DatatypeName, readonly [string, string]>> = {
  ipv4_addr: ['10.0.0.0/8', '192.168.128.0/17'],
  ipv6_addr: ['2001:db8:40::/44', 'fe80::/64'],
};

function valuesOf(type: DatatypeName, bits: number): readonly [string, string, string] {
  const known = symbols[type];
  if (known) return known;
  const most = bits > 52 ? 2 ** 40 : 2 ** bits - 1;
  return [String(Math.min(1, most)), String(Math.floor(most / 3)), String(most - (most > 4 ? 1 : 0))];
}

const verdicts = ['accept', 'drop', 'counter accept', 'return', 'continue'];
const unordered = new Set<DatatypeName>([
  'ifname',
  'string',
  'boolean',
  'ct_label',
  'tcp_flag',
  'ct_dir',
  'day',
]);
const bitmasks = new Set<DatatypeName>(['tcp_flag', 'ct_state', 'ct_status', 'ct_label', 'ct_event']);

/** Questions after which nft 1.0.6 ends on an assertion. */
const fatal = new Set(['ah nexthdr { icmp, udp }', 'comp nexthdr { icmp, udp }']);

/** Questions that nft 1.0.6 lists in JSON as something that it cannot read itself. */
const unlisted = new Set([
  'ct label vmap { 1 : accept, 127 : drop }',
  'frag frag-off vmap { 1 : accept, 8190 : drop }',
  'frag reserved2 vmap { 1 : accept, 3 : drop }',
  'meta iiftype 3-9',
  'meta iiftype != 3-9',
  'tcp option mptcp subtype vmap { 1 : accept, 14 : drop }',
]);

const symbolic = /^[a-z]{2}[^:]*$/;

/** What can be asked of a value of a type, each with the text that follows the expression. */
function questions(type: DatatypeName, bits: number): string[] {
  const [low, middle, high] = valuesOf(type, bits);
  const asked = [low, `!= ${middle}`, `{ ${low}, ${high} }`, `!= { ${middle}, ${high} }`];
  if (bits > 1 && type !== 'boolean') asked.push(`vmap { ${low} : accept, ${high} : drop }`);
  if (!unordered.has(type) && !bitmasks.has(type) && bits > 3) {
    // nft would read two symbols with a dash between them as one.
    const [from, to, more] = symbolic.test(low) ? ['3', '9', '11'] : [low, middle, high];
    asked.push(
      `${from}-${to}`,
      `!= ${from}-${to}`,
      `< ${high}`,
      `>= ${middle}`,
      `{ ${from}-${to}, ${more} }`,
    );
  }
  if (type === 'integer' && bits >= 8) asked.push(`& 0x${'f'.repeat(bits >> 3)} == 0x1`);
  if (type === 'mark') asked.push('& 0xff00 == 0x1200', '& 0xf != 0', '| 0x1 == 0x31', 'and 0xff000000 > 5');
  const [wide, narrow] = prefixes[type] ?? [];
  if (wide !== undefined) asked.push(wide, `!= ${narrow}`, `{ ${wide}, ${narrow} }`, `& ${high} == ${low}`);
  if (bitmasks.has(type) && type !== 'ct_label') {
    asked.push(`${low},${middle}`, `!= ${low},${high}`, `& (${low} | ${high}) == ${low}`, `! ${middle}`);
  }
  return asked;
}

/** Sections by place, each with its rules in the order in which they came. */
class Topic {
  readonly #sections = new Map<Place, string[]>();

  add(place: Place, rule: string): void {
    const rules = this.#sections.get(place) ?? [];
    this.#sections.set(place, [...rules, rule]);
  }

  /** Spreads the questions about an expression over its places. */
  spread(places: readonly Place[], expression: string, asked: readonly string[]): void {
    asked.forEach((question, i) => {
      const rule = `${expression} ${question}`;
      if (fatal.has(rule) || unlisted.has(rule)) return;
      const verdict = question.startsWith('vmap') ? '' : ` ${verdicts[i % verdicts.length]}`;
      this.add(places[i % places.length] as Place, `${expression} ${question}${verdict}`);
    });
  }

  write(name: string, about: string): void {
    const sections = [...this.#sections].map(
      ([place, rules]) => `\n[${chains[place]}]\n${rules.join('\n')}\n`,
    );
    writeFileSync(
      new URL(`rules/${name}.txt`, import.meta.url),
      `# ${about}; made by generate.ts.\n${sections.join('')}`,
    );
  }
}

/** Fields that nft 1.0.6 does not know, or gets wrong. */
const newer = new Set(['icmpv6 taddr', 'icmpv6 daddr', 'arp plen', 'vlan cfi', 'icmpv6 parameter-problem']);

for (const header of Object.values(headers)) {
  const places = legal[header.name];
  if (!places) continue;
  const topic = new Topic();
  for (const field of Object.values(header.fields)) {
    const expression = `${header.name} ${field.name}`;
    if (!newer.has(expression)) topic.spread(places, expression, questions(field.type, field.bits));
  }
  topic.write(`header-${header.name}`, `Every field of the header ${header.name}`);
}

/** Meta keys that only some families or hooks have, or that cannot be read. */
const metaPlaces: Partial<Record<string, readonly Place[]>> = {
  oif: [],
  oifname: [],
  oiftype: [],
  oifgroup: [],
  oifkind: [],
  nftrace: [],
  secmark: [],
  broute: [],
  ibrhwaddr: [],
  ibrname: [],
  obrname: [],
  ibrpvid: [],
  ibrvproto: [],
  sdif: [],
  sdifname: ['ip', 'ip6', 'inet'],
  skuid: ['ip', 'ip6', 'inet'],
  skgid: ['ip', 'ip6', 'inet'],
  rtclassid: ['ip', 'inet'],
  nfproto: ['inet'],
  ipsec: ['inet', 'ip', 'ip6'],
};
const meta = new Topic();
for (const key of Object.values(metaKeys)) {
  const places = metaPlaces[key.name] ?? (['inet', 'bridge', 'ip', 'netdev', 'ip6'] as const);
  if (places.length > 0) meta.spread(places, `meta ${key.name}`, questions(key.type, key.bits));
}
meta.write('meta-keys', 'Every meta key that an input chain can read');

const ct = new Topic();
for (const key of Object.values(ctKeys)) {
  if (['event', 'secmark'].includes(key.name) || key.depends) continue;
  const asked = questions(key.type, key.bits);
  const places: readonly Place[] = key.family ? [key.family, 'inet'] : ['inet', 'ip', 'ip6'];
  if (key.direction !== 'required') ct.spread(places, `ct ${key.name}`, asked);
  if (key.direction !== 'none') {
    ct.spread(places, `ct original ${key.name}`, asked.slice(0, 3));
    ct.spread(places, `ct reply ${key.name}`, asked.slice(3, 6));
  }
}
ct.write('ct-keys', 'Every conntrack key, in both directions');

const extension = new Topic();
for (const header of Object.values(exthdrs)) {
  if (header.name === 'rt2') continue;
  if (!header.routingType && header.name !== 'rt0')
    extension.spread(['ip6', 'inet'], `exthdr ${header.name}`, ['exists', 'missing']);
  for (const field of Object.values(header.fields)) {
    if (header.name === 'rt0' && field.name === 'reserved') continue;
    extension.spread(ipv6, `${header.name} ${field.name}`, questions(field.type, field.bits).slice(0, 7));
  }
}
extension.write('exthdr', 'Every field of every IPv6 extension header');

const tcpOption = new Topic();
for (const option of Object.values(tcpOptions)) {
  tcpOption.spread(['inet', 'ip'], `tcp option ${option.name}`, ['exists', 'missing']);
  for (const field of Object.values(option.fields)) {
    if (field.name === 'kind') continue;
    tcpOption.spread(
      layer4,
      `tcp option ${option.name} ${field.name}`,
      questions(field.type, field.bits).slice(0, 7),
    );
  }
}
tcpOption.write('tcp-option', 'Every field of every TCP option');

const ipOption = new Topic();
for (const option of Object.values(ipOptions)) {
  ipOption.spread(['ip', 'inet'], `ip option ${option.name}`, ['exists', 'missing']);
  for (const field of Object.values(option.fields)) {
    ipOption.spread(
      ipv4,
      `ip option ${option.name} ${field.name}`,
      questions(field.type, field.bits).slice(0, 6),
    );
  }
}
ipOption.write('ip-option', 'Every field of every IPv4 option');
