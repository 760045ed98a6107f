import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  readTypeof,
  readUserdata,
  SET_FLAGS,
  userdataNumber,
  writeTypeof,
  writeUserdata,
} from '../../../src/bytecode/index.ts';
import { concatId, datatype } from '../../../src/datatype/index.ts';
import { type DeclaredTypes, delinearizeSetType } from '../../../src/delinearize/index.ts';
import type { Expression, MapType, SetType } from '../../../src/model/index.ts';
import { requires } from '../../support/requirements.ts';

const KEY_TYPEOF = 3;
const DATA_TYPEOF = 4;

/** A set declaration as nft sends it: the numbers of its attributes. */
function declaredByNft(declaration: string): DeclaredTypes {
  const kind = declaration.includes(' : ') ? 'map' : 'set';
  const command = `add table inet t; add ${kind} inet t s { ${declaration} }`;
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['--net', 'nft', '--check', '--debug=mnl', command],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: libmnl colours its dump
  const lines = (stdout + stderr).replace(/\x1b\[[\d;]*m/g, '').split('\n');
  const attributes = new Map<number, number[]>();
  let current: { length: number; bytes: number[] } | undefined;
  for (const line of lines) {
    if (line.startsWith('---')) current = undefined;
    const head =
      /^\|(\d{5})\|(..)\|(\d{5})\|\s*\|len\s/.exec(line) ?? /^\|(\d{5})\|(..)\|(\d{5})\|/.exec(line);
    const data = /^\| ((?:[\da-f]{2} ){4}) \|/.exec(line);
    if (head) {
      const bytes: number[] = [];
      attributes.set(Number(head[3]), bytes);
      current = { length: Number(head[1]) - 4, bytes };
    } else if (data && current) {
      const row = (data[1] as string)
        .trim()
        .split(' ')
        .map((byte) => Number.parseInt(byte, 16));
      for (const byte of row) if (current.bytes.length < current.length) current.bytes.push(byte);
    }
  }
  const number = (id: number) => {
    const bytes = attributes.get(id);
    return bytes && Buffer.from(bytes).readUInt32BE();
  };
  return {
    flags: number(3) ?? 0,
    keyType: number(4) ?? 0,
    keyLength: number(5) ?? 0,
    dataType: number(6),
    dataLength: number(7),
    userdata: Uint8Array.from(attributes.get(13) ?? []),
  };
}

const payload = (protocol: string, field: string) => ({ payload: { protocol, field } }) as Expression;

const declarations: readonly (readonly [text: string, type: SetType, map?: MapType])[] = [
  ['type ipv4_addr;', 'ipv4_addr'],
  ['type ifname . ether_addr . ipv6_addr;', ['ifname', 'ether_addr', 'ipv6_addr']],
  ['type inet_service; flags interval;', 'inet_service'],
  ['type ipv4_addr : verdict;', 'ipv4_addr', 'verdict'],
  ['type ipv4_addr : ipv4_addr . inet_service;', 'ipv4_addr', ['ipv4_addr', 'inet_service']],
  ['typeof ip saddr;', { typeof: payload('ip', 'saddr') }],
  ['typeof vlan id;', { typeof: payload('vlan', 'id') }],
  ['typeof ip dscp;', { typeof: payload('ip', 'dscp') }],
  ['typeof meta mark;', { typeof: { meta: { key: 'mark' } } }],
  ['typeof ct original packets;', { typeof: { ct: { key: 'packets', dir: 'original' } } }],
  ['typeof ct mark;', { typeof: { ct: { key: 'mark' } } }],
  ['typeof tcp option maxseg size;', { typeof: { 'tcp option': { name: 'maxseg', field: 'size' } } }],
  ['typeof frag nexthdr;', { typeof: { exthdr: { name: 'frag', field: 'nexthdr' } } }],
  ['typeof rt classid;', { typeof: { rt: { key: 'classid' } } }],
  ['typeof socket mark;', { typeof: { socket: { key: 'mark' } } }],
  ['typeof fib daddr . iif type;', { typeof: { fib: { result: 'type', flags: ['daddr', 'iif'] } } }],
  ['typeof @nh,0,8;', { typeof: { payload: { base: 'nh', offset: 0, len: 8 } } }],
  ['typeof tcp dport . ip saddr;', { typeof: { concat: [payload('tcp', 'dport'), payload('ip', 'saddr')] } }],
  ['typeof ip saddr : meta mark;', { typeof: payload('ip', 'saddr') }, { typeof: { meta: { key: 'mark' } } }],
];

test('the types of sets that nft declares come back', requires('root', 'netns', 'nft'), () => {
  for (const [text, type, map] of declarations) {
    const declared = declaredByNft(text);
    const types = delinearizeSetType(declared);
    assert.deepEqual(types.type, type, text);
    assert.deepEqual(types.map, map, text);
    const bytes = types.key.reduce((sum, { bits }) => sum + Math.ceil(bits / 32) * 4, 0);
    assert.equal(Math.ceil(declared.keyLength / 4) * 4, bytes, text);
  }
});

test('what a set is typeof is written as nft writes it', requires('root', 'netns', 'nft'), () => {
  let compared = 0;
  for (const [text] of declarations) {
    const rows = readUserdata(declaredByNft(text).userdata as Uint8Array);
    for (const number of [KEY_TYPEOF, DATA_TYPEOF]) {
      const blob = rows?.get(number);
      const read = blob && readTypeof(blob);
      if (!blob || !read) continue;
      assert.deepEqual(Buffer.from(writeTypeof(read)), Buffer.from(blob), text);
      compared++;
    }
  }
  assert.ok(compared > 12);
});

const service = datatype('inet_service');

test('keys of intervals are in network order', () => {
  const mark: DeclaredTypes = { flags: SET_FLAGS.interval, keyType: datatype('mark').id, keyLength: 4 };
  assert.equal(delinearizeSetType(mark).key[0]?.byteorder, 'network');
  assert.equal(delinearizeSetType({ ...mark, flags: 0 }).key[0]?.byteorder, 'host');
});

test('types that are not known, or do not fit the key, are integers', () => {
  for (const [keyType, keyLength] of [
    [0, 7],
    [0xffffffff, 4],
    [service.id, 3],
    [concatId([service, service]), 4],
  ] as const) {
    const types = delinearizeSetType({ flags: 0, keyType, keyLength });
    assert.equal(types.type, 'integer');
    assert.equal(types.key[0]?.bits, keyLength * 8);
  }
});

test('userdata that is not to be understood is left alone', () => {
  const plain = { flags: 0, keyType: service.id, keyLength: 2 };
  const nonsense = [
    Uint8Array.of(3),
    Uint8Array.of(3, 200, 1),
    writeUserdata([[KEY_TYPEOF, writeUserdata([userdataNumber(0, 99)])]]),
    writeUserdata([[KEY_TYPEOF, writeTypeof({ kind: 'payload', numbers: { header: 12, field: 200 } })]]),
    // The key of the set is not as wide as an address.
    writeUserdata([[KEY_TYPEOF, writeTypeof({ kind: 'payload', numbers: { header: 12, field: 11 } })]]),
  ];
  for (const userdata of nonsense) {
    assert.equal(delinearizeSetType({ ...plain, userdata }).type, 'inet_service');
  }
});
