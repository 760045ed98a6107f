import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DatatypeName, datatype, type Literal } from '../../../src/datatype/index.ts';
import { requires, vectorsDirectory } from '../../support/requirements.ts';

/** The types of what a rule may compare, by the keyword and key of libnftables JSON. */
const types: Readonly<Record<string, Readonly<Record<string, DatatypeName>>>> = {
  ct: {
    direction: 'ct_dir',
    expiration: 'time',
    helper: 'string',
    'ip saddr': 'ipv4_addr',
    'ip6 saddr': 'ipv6_addr',
    label: 'ct_label',
    mark: 'mark',
    state: 'ct_state',
    status: 'ct_status',
  },
  meta: {
    day: 'day',
    hour: 'hour',
    ibrname: 'ifname',
    ibrvproto: 'ether_type',
    iif: 'iface_index',
    iifgroup: 'devgroup',
    iifname: 'ifname',
    iiftype: 'iface_type',
    l4proto: 'inet_proto',
    length: 'integer',
    mark: 'mark',
    nfproto: 'nf_proto',
    oif: 'iface_index',
    oifgroup: 'devgroup',
    oifname: 'ifname',
    oiftype: 'iface_type',
    pkttype: 'pkt_type',
    priority: 'classid',
    protocol: 'ether_type',
    skgid: 'gid',
    skuid: 'uid',
    time: 'date',
  },
  fib: { oifname: 'ifname', type: 'fib_addrtype' },
  osf: { name: 'string', version: 'string' },
  rt: { ipsec: 'boolean', nexthop: 'ipv6_addr' },
};

interface Comparison {
  readonly type: DatatypeName;
  readonly literals: readonly Literal[];
}

function literalsOf(right: unknown): Literal[] {
  if (Array.isArray(right)) return right.flatMap(literalsOf);
  if (typeof right === 'object' && right !== null) {
    return Object.entries(right).flatMap(([key, value]) =>
      key === 'range' || key === 'set' || key === '|' ? literalsOf(value) : [],
    );
  }
  return [right as Literal];
}

function comparisons(statements: readonly Record<string, unknown>[]): Comparison[] {
  return statements.flatMap((statement) => {
    const match = statement.match as { left: Record<string, unknown>; right: unknown } | undefined;
    if (match === undefined) return [];
    const [keyword = '', what] = Object.entries(match.left)[0] ?? [];
    const { key, result } = (what ?? {}) as { key?: string; result?: string };
    const type = types[keyword]?.[key ?? result ?? ''];
    return type === undefined ? [] : [{ type, literals: literalsOf(match.right) }];
  });
}

const zone = process.env.TZ;
before(() => {
  process.env.TZ = 'UTC-2';
});
after(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test('literals of the conformance vectors come out as nft lists them', requires('vectors'), () => {
  let compared = 0;
  for (const line of readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').trimEnd().split('\n')) {
    const { id, expr, expr_output } = JSON.parse(line);
    if (expr === null) continue;
    const given = comparisons(expr);
    const listed = comparisons(expr_output ?? expr);
    if (given.length !== listed.length) continue;
    given.forEach(({ type, literals }, i) => {
      const expected = listed[i] as Comparison;
      if (literals.length !== expected.literals.length) return;
      const { parse, format } = datatype(type);
      const bits = type === 'string' ? 256 : 32;
      // The suite lists protocols with `nft --numeric-protocol`: there the values have to agree.
      const listing = (literal: Literal) =>
        type === 'inet_proto' ? String(parse(literal)) : String(format(parse(literal, bits), bits));
      assert.deepEqual(literals.map(listing).sort(), expected.literals.map(String).sort(), `${id}: ${type}`);
      compared += literals.length;
    });
  }
  assert.ok(compared > 900, `only ${compared} literals compared`);
});
