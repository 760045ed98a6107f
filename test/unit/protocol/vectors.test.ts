import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type Extension,
  type FieldLayout,
  findExthdr,
  findHeader,
  findHeaderField,
  findIpOption,
  findSctpChunk,
  findTcpOption,
} from '../../../src/protocol/index.ts';
import { requires, vectorsDirectory } from '../../support/requirements.ts';

interface Vector {
  readonly rule: string;
  readonly expr: readonly Record<string, unknown>[];
  readonly bytecode: readonly string[];
}

type Left = Readonly<Record<string, { protocol?: string; field?: string; name: string; tunnel?: string }>>;

/** The whole bytes that a field touches, as a load has them: `2b @ … + 6`. */
function bytes({ offset, bits }: FieldLayout): { first: number; count: number } {
  const first = Math.floor(offset / 8);
  return { first, count: Math.ceil((offset + bits) / 8) - first };
}

const finders: Readonly<Record<string, (name: string) => Extension>> = {
  exthdr: findExthdr,
  'tcp option': findTcpOption,
  'ip option': findIpOption,
  'sctp chunk': findSctpChunk,
};

/** The load that a match on `left` must contain, in libnftnl's words. */
function expectedLoad(left: Left): string | undefined {
  const [[kind, what] = []] = Object.entries(left);
  if (!kind || !what?.field) return undefined;
  if (kind === 'payload') {
    if (!what.protocol) return undefined;
    const header = findHeader(what.protocol);
    const { first, count } = bytes(findHeaderField(header, what.field));
    const base = header.base === 'tunnel' ? 'unknown' : header.base;
    // A VLAN tag lies behind the Ethernet header.
    const below = what.protocol === 'vlan' ? findHeader('ether').bits / 8 : 0;
    const load = `payload load ${count}b @ ${base} header + ${first + below}`;
    if (!what.tunnel) return `[ ${load} => reg`;
    const { tunnel } = findHeader(what.tunnel);
    assert.ok(tunnel);
    const { type, headerSize, flags } = tunnel;
    return `[ inner type ${type} hdrsize ${headerSize} flags ${flags.toString(16)} [ ${load} => reg`;
  }
  const found = finders[kind]?.(what.name);
  if (!found) return undefined;
  const { first, count } = bytes(found.fields[what.field] as FieldLayout);
  const op = { ipv6: 'ipv6 ', 'tcp option': 'tcpopt ', 'ip option': 'ipv4 ' }[found.op as string] ?? '';
  return `[ exthdr load ${op}${count}b @ ${found.type} + ${first} => reg`;
}

test('fields lie where the shared vectors load them', requires('vectors'), () => {
  const seen = new Set<string>();
  for (const line of readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').trim().split('\n')) {
    const { rule, expr, bytecode } = JSON.parse(line) as Vector;
    // Neighbouring matches are merged into one load and prefixes shorten it: only matches that stand alone.
    const matches = expr.filter((statement) => 'match' in statement);
    const [match] = matches as { match: { left: Left; right: unknown } }[];
    if (matches.length !== 1 || !match || JSON.stringify(match.match.right).includes('prefix')) continue;
    const load = expectedLoad(match.match.left);
    if (!load) continue;
    assert.ok(
      bytecode.some((instruction) => instruction.startsWith(load)),
      `${rule}: ${load} is not in ${bytecode.join(' ')}`,
    );
    seen.add(load);
  }
  assert.ok(seen.size > 80, `only ${seen.size} different loads were compared`);
});
