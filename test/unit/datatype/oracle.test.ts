import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DatatypeName, datatypes, formatText, splitFlags } from '../../../src/datatype/index.ts';
import { requires } from '../../support/requirements.ts';

/** The types a set can be declared with, and whose listing depends on neither links nor mounts. */
const names: readonly DatatypeName[] = [
  'nf_proto',
  'ipv4_addr',
  'ipv6_addr',
  'ether_addr',
  'ether_type',
  'arp_op',
  'inet_proto',
  'inet_service',
  'icmp_type',
  'tcp_flag',
  'dccp_pkttype',
  'mh_type',
  'time',
  'mark',
  'iface_type',
  'realm',
  'classid',
  'uid',
  'gid',
  'ct_state',
  'ct_dir',
  'ct_status',
  'icmpv6_type',
  'pkt_type',
  'icmp_code',
  'icmpv6_code',
  'icmpx_code',
  'devgroup',
  'dscp',
  'ecn',
  'fib_addrtype',
  'ifname',
  'igmp_type',
];

function valuesOf(name: DatatypeName): bigint[] {
  const { bits, base, symbols } = datatypes[name];
  const greatest = (1n << BigInt(bits)) - 1n;
  const numbers = fc.sample(fc.bigInt({ min: 1n, max: greatest }), { numRuns: 40, seed: 1 });
  if (name === 'ifname')
    return ['lo', 'tap0', 'a.b-c_d@e', '012345678901234'].map((text) => datatypes.ifname.parse(text));
  // Several flags are an expression of values, so each value is one flag.
  if (base === 'bitmask') return splitFlags((1n << BigInt(bits)) - 1n);
  // nft lists whole seconds in JSON.
  if (name === 'time') return [1n, 59n, 60n, 3600n, 86_400n, 4_000_000n].map((seconds) => seconds * 1000n);
  return [...new Set([...(name === 'inet_service' ? [] : (symbols?.values() ?? [])), ...numbers, greatest])];
}

function nft(args: readonly string[], input: string): string {
  // nft opens /dev/stdin, which the socket that Node makes of it does not allow; a pipe does.
  const script = `cat | nft ${args.includes('-j') ? '-j ' : ''}-f - && nft ${args.join(' ')} list set inet t s`;
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

for (const name of names) {
  test(
    `nft takes every ${name} as it is formatted, and lists it the same`,
    requires('root', 'netns', 'nft'),
    () => {
      const type = datatypes[name];
      const values = valuesOf(name);
      const json = values.map((value) => type.format(value));
      const listed = JSON.parse(
        nft(
          ['-j'],
          JSON.stringify({
            nftables: [
              { add: { table: { family: 'inet', name: 't' } } },
              { add: { set: { family: 'inet', table: 't', name: 's', type: name, elem: json } } },
            ],
          }),
        ),
      );
      const [{ set }] = listed.nftables.filter((item: object) => 'set' in item);
      assert.deepEqual(set.elem.map(String).sort(), json.map(String).sort());

      const text = values.map((value) => formatText(type, value));
      const shown = nft([], `table inet t { set s { type ${name}; elements = { ${text.join(', ')} }; }; }`);
      const [, elements = ''] = /elements = \{([^}]*)\}/.exec(shown) ?? [];
      assert.deepEqual(
        elements
          .split(',')
          .map((element) => element.trim())
          .sort(),
        [...text].sort(),
      );
    },
  );
}
