import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
  ctKeys,
  exthdrs,
  fibResults,
  headers,
  ipOptions,
  ipsecKeys,
  metaKeys,
  osfKeys,
  rtKeys,
  sctpChunks,
  socketKeys,
  tcpOptions,
} from '../../../src/protocol/index.ts';
import { requires } from '../../support/requirements.ts';

/** What a table says of one place, and nft's words for it. */
interface Place {
  readonly text: string;
  readonly type: string;
  readonly bits: number;
}

/** nft prints these names for two types, which the registry keeps apart. */
const describedAs: Readonly<Record<string, string>> = { date: 'time', xinteger: 'integer' };

/** Younger than nft 1.0.6; where nft knows them they must agree all the same. */
const younger = new Set([
  'icmpv6 taddr',
  'icmpv6 daddr',
  ...['vxlan', 'geneve', 'gre'].flatMap((name) =>
    Object.keys(headers[name as 'gre'].fields).map((field) => `${name} ${field}`),
  ),
  'meta broute',
  'meta ibrhwaddr',
  'fib daddr check',
]);

/** nft's grammar has no word for these fields of its own tables, or no layout (rt2). */
const unspeakable = new Set(['rt0 reserved', 'rt2 reserved', 'rt2 addr']);

/** nft 1.0.6 says string for the interface name of a fib result, ifname later. */
const retyped: Readonly<Record<string, string>> = { 'fib daddr oifname': 'string' };

/** Where nft's words differ from libnftables JSON's names. */
const wordings: Readonly<Record<string, string>> = { 'icmpv6 parameter-problem': 'icmpv6 param-problem' };

function describedByNft(text: string): Omit<Place, 'text'> | undefined {
  const { stdout } = spawnSync('nft', ['describe', wordings[text] ?? text], { encoding: 'utf8' });
  const match = /datatype (\S+) .*, (\d+) (bits|characters)$/m.exec(stdout.split('\n')[0] as string);
  if (!match) return undefined;
  const [, type, size, unit] = match;
  return { type: type as string, bits: Number(size) * (unit === 'characters' ? 8 : 1) };
}

function compare(name: string, places: readonly Place[]): void {
  test(name, requires('nft'), () => {
    assert.ok(places.length > 0);
    for (const { text, type, bits } of places) {
      if (unspeakable.has(text)) continue;
      const actual = describedByNft(text);
      if (!actual) {
        assert.ok(younger.has(text), `nft does not know ${text}`);
        continue;
      }
      const names = [describedAs[type] ?? type, retyped[text]];
      assert.ok(names.includes(actual.type), `${text}: ${type}, nft has ${actual.type}`);
      assert.equal(bits, actual.bits, `${text}: bits`);
    }
  });
}

/** The first field of an option or chunk is its mark, which nft reads by the option's name alone. */
function extensionPlaces(table: typeof exthdrs, prefix: string, mark?: string): Place[] {
  return Object.values(table).flatMap(({ name, fields }) =>
    Object.values(fields).map(({ name: field, type, bits }) => ({
      text: `${prefix}${name}${field === mark ? '' : ` ${field}`}`,
      type,
      bits,
    })),
  );
}

function keyPlaces(table: typeof socketKeys, text: (name: string) => string): Place[] {
  return Object.values(table).map(({ name, type, bits }) => ({ text: text(name), type, bits }));
}

describe('type and width of every field, as nft describes it', () => {
  for (const { name, fields } of Object.values(headers)) {
    const places = Object.values(fields).map((field) => ({ ...field, text: `${name} ${field.name}` }));
    if (places.length > 0) compare(name, places);
  }
  compare('IPv6 extension headers', extensionPlaces(exthdrs, ''));
  // sack0 has no mark of its own: nft's word for it is sack.
  const { sack0, sack1, sack2, sack3, ...options } = tcpOptions;
  assert.ok(sack0 && sack1 && sack2 && sack3);
  compare('TCP options', extensionPlaces(options, 'tcp option ', 'kind'));
  compare(
    'TCP selective acknowledgement blocks',
    [sack0, sack1, sack2, sack3].flatMap((block) =>
      ['left', 'right'].map((side) => ({
        text: `tcp option ${block.name} ${side}`,
        type: (block.fields[side] as Place | undefined)?.type as string,
        bits: (block.fields[side] as Place | undefined)?.bits as number,
      })),
    ),
  );
  compare('IPv4 options', extensionPlaces(ipOptions, 'ip option '));
  compare('SCTP chunks', extensionPlaces(sctpChunks, 'sctp chunk '));
  compare(
    'meta keys',
    keyPlaces(metaKeys, (name) => `meta ${name}`),
  );
  compare(
    'conntrack keys',
    Object.values(ctKeys)
      .filter((key) => !key.depends)
      .map((key) => ({
        ...key,
        text: key.direction === 'required' ? `ct original ${key.name}` : `ct ${key.name}`,
      })),
  );
  compare(
    'route keys',
    keyPlaces(rtKeys, (name) => `rt ${name}`),
  );
  compare(
    'socket keys',
    keyPlaces(socketKeys, (name) => `socket ${name}${name === 'cgroupv2' ? ' level 2' : ''}`),
  );
  compare(
    'fib results',
    keyPlaces(fibResults, (name) => `fib daddr ${name}`),
  );
  compare(
    'IPsec keys',
    keyPlaces(ipsecKeys, (name) => `ipsec in ${name}`),
  );
  compare(
    'operating system fingerprints',
    keyPlaces(osfKeys, (name) => `osf ${name}`),
  );
});
