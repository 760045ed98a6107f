import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { extensionOps } from '../../../src/protocol/extension.ts';
import {
  ctKeys,
  fibFlags,
  fibPresent,
  fibResults,
  hashTypes,
  ipsecKeys,
  metaKeys,
  numgenModes,
  payloadBases,
  rtKeys,
  socketKeys,
  tunnelKeys,
} from '../../../src/protocol/index.ts';

const file = '/usr/include/linux/netfilter/nf_tables.h';
const skip = existsSync(file) ? false : `${file} is not here (linux-libc-dev)`;

/** Every enumerator of the header and its value. */
function enumerators(): Map<string, number> {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const values = new Map<string, number>();
  for (const [, body] of text.matchAll(/enum\s+\w+\s*\{([^}]*)\}/g)) {
    let next = 0;
    for (const line of (body as string).replace(/^#.*$/gm, '').split(',')) {
      const match = /^\s*(\w+)\s*(?:=\s*(.+?))?\s*$/.exec(line);
      if (!match) continue;
      const [, name, value] = match;
      const shift = /^\(?\s*1\s*<<\s*(\d+)\s*\)?$/.exec(value ?? '');
      if (shift) next = 1 << Number(shift[1]);
      else if (value && Number.isInteger(Number(value))) next = Number(value);
      values.set(name as string, next++);
    }
  }
  return values;
}

/** Each name of a table and the constant that its number must equal. */
interface Comparison {
  readonly what: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly prefix: string;
  /** Where the constant is not the name in capitals. */
  readonly constants?: Readonly<Record<string, string>>;
  /** Younger than the headers of Debian 12. */
  readonly younger?: readonly string[];
}

function keysOf(table: Readonly<Record<string, { readonly key: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([name, { key }]) => [name, key]));
}

const comparisons: readonly Comparison[] = [
  {
    what: 'meta keys',
    numbers: keysOf(metaKeys),
    prefix: 'NFT_META_',
    constants: {
      length: 'LEN',
      iiftype: 'IFTYPE',
      ibrname: 'BRI_IIFNAME',
      obrname: 'BRI_OIFNAME',
      random: 'PRANDOM',
      ipsec: 'SECPATH',
      ibrpvid: 'BRI_IIFPVID',
      ibrvproto: 'BRI_IIFVPROTO',
      time: 'TIME_NS',
      day: 'TIME_DAY',
      hour: 'TIME_HOUR',
      broute: 'BRI_BROUTE',
      ibrhwaddr: 'BRI_IIFHWADDR',
    },
    younger: ['broute', 'ibrhwaddr'],
  },
  {
    what: 'conntrack keys',
    numbers: keysOf(ctKeys),
    prefix: 'NFT_CT_',
    constants: {
      l3proto: 'L3PROTOCOL',
      saddr: 'SRC',
      daddr: 'DST',
      label: 'LABELS',
      packets: 'PKTS',
      event: 'EVENTMASK',
      'ip saddr': 'SRC_IP',
      'ip daddr': 'DST_IP',
      'ip6 saddr': 'SRC_IP6',
      'ip6 daddr': 'DST_IP6',
    },
  },
  {
    what: 'route keys',
    numbers: keysOf(rtKeys),
    prefix: 'NFT_RT_',
    constants: { 'ip nexthop': 'NEXTHOP4', 'ip6 nexthop': 'NEXTHOP6', mtu: 'TCPMSS', ipsec: 'XFRM' },
  },
  { what: 'socket keys', numbers: keysOf(socketKeys), prefix: 'NFT_SOCKET_' },
  {
    what: 'fib results',
    numbers: keysOf(fibResults),
    prefix: 'NFT_FIB_RESULT_',
    constants: { type: 'ADDRTYPE', check: 'OIF' },
  },
  { what: 'fib flags', numbers: { ...fibFlags, present: fibPresent }, prefix: 'NFTA_FIB_F_' },
  {
    what: 'IPsec keys',
    numbers: keysOf(ipsecKeys),
    prefix: 'NFT_XFRM_KEY_',
    constants: {
      'ip saddr': 'SADDR_IP4',
      'ip daddr': 'DADDR_IP4',
      'ip6 saddr': 'SADDR_IP6',
      'ip6 daddr': 'DADDR_IP6',
    },
  },
  {
    what: 'number generators',
    numbers: keysOf(numgenModes),
    prefix: 'NFT_NG_',
    constants: { inc: 'INCREMENTAL' },
  },
  {
    what: 'hashes',
    numbers: keysOf(hashTypes),
    prefix: 'NFT_HASH_',
    constants: { jhash: 'JENKINS', symhash: 'SYM' },
  },
  { what: 'tunnel keys', numbers: keysOf(tunnelKeys), prefix: 'NFT_TUNNEL_' },
  {
    what: 'extension header operations',
    numbers: extensionOps,
    prefix: 'NFT_EXTHDR_OP_',
    constants: { 'tcp option': 'TCPOPT', 'ip option': 'IPV4', 'sctp chunk': 'SCTP', 'dccp option': 'DCCP' },
    younger: ['dccp option'],
  },
  {
    what: 'payload bases',
    numbers: payloadBases,
    prefix: 'NFT_PAYLOAD_',
    constants: {
      link: 'LL_HEADER',
      network: 'NETWORK_HEADER',
      transport: 'TRANSPORT_HEADER',
      inner: 'INNER_HEADER',
      tunnel: 'TUN_HEADER',
    },
    younger: ['tunnel'],
  },
];

describe("numbers, as in the kernel's header", { skip }, () => {
  for (const { what, numbers, prefix, constants = {}, younger = [] } of comparisons) {
    test(what, () => {
      const values = enumerators();
      for (const [name, number] of Object.entries(numbers)) {
        const constant = prefix + (constants[name] ?? name.toUpperCase().replaceAll('-', '_'));
        const expected = values.get(constant);
        if (expected === undefined && younger.includes(name)) continue;
        assert.equal(number, expected, `${name} is ${constant}`);
      }
    });
  }

  test('no meta or conntrack key of the header is missing', () => {
    const values = enumerators();
    for (const [prefix, table] of [
      ['NFT_META_', metaKeys],
      ['NFT_CT_', ctKeys],
      ['NFT_RT_', rtKeys],
      ['NFT_SOCKET_', socketKeys],
    ] as const) {
      const known = new Set(Object.values(table).map(({ key }) => key));
      const numbers = [...values].filter(([name]) => name.startsWith(prefix));
      assert.ok(numbers.length >= 4, prefix);
      for (const [name, number] of numbers) assert.ok(known.has(number), name);
    }
  });
});
