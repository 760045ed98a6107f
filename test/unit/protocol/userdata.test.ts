import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fromBytes } from '../../../src/datatype/byteorder.ts';
import { exthdrs, headers } from '../../../src/protocol/index.ts';
import { requires } from '../../support/requirements.ts';

/** NFTA_SET_USERDATA */
const SET_USERDATA = '00013';
/** NFTNL_UDATA_SET_KEY_TYPEOF, and in it NFTNL_UDATA_SET_TYPEOF_DATA */
const KEY_TYPEOF = 3;
const TYPEOF_DATA = 1;

/** Type, length, value, one byte each for the first two. */
function entries(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [type, length] = [bytes[at] as number, bytes[at + 1] as number];
    found.set(type, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}

/** What nft writes into a set declaration of `typeof TEXT`: libnftnl's numbered user data of the key. */
function typeofData(text: string): Map<number, Uint8Array> {
  const command = `add table inet t; add set inet t s { typeof ${text}; }`;
  const arguments_ = ['--net', 'nft', '--check', '--debug=mnl', command];
  const { stdout, stderr } = spawnSync('unshare', arguments_, { encoding: 'utf8' });
  const bytes: number[] = [];
  let inside = false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: libmnl colours its dump
  for (const line of (stdout + stderr).replace(/\x1b\[[\d;]*m/g, '').split('\n')) {
    const attribute = /^\|\d{5}\|..\|(\d{5})\|/.exec(line);
    if (attribute) inside = attribute[1] === SET_USERDATA;
    const data = /^\| ((?:[\da-f]{2} ){4}) \|/.exec(line);
    if (inside && data)
      bytes.push(
        ...(data[1] as string)
          .trim()
          .split(' ')
          .map((byte) => Number.parseInt(byte, 16)),
      );
    if (line.startsWith('---')) inside = false;
  }
  const key = entries(Uint8Array.from(bytes)).get(KEY_TYPEOF);
  assert.ok(key, `nft wrote no user data for ${text}: ${stderr}`);
  return entries(entries(key).get(TYPEOF_DATA) as Uint8Array);
}

/** Younger than nft 1.0.6. */
const younger = new Set(['vxlan', 'geneve', 'gre', 'icmpv6 taddr', 'icmpv6 daddr']);

test(
  'header and field numbers are those that nft writes into set declarations',
  requires('root', 'netns', 'nft'),
  () => {
    const layouts = [...Object.values(headers), ...Object.values(exthdrs)].filter(
      ({ name }) => !younger.has(name) && name !== 'rt2',
    );
    assert.ok(layouts.length > 20);
    for (const { name, id, fields } of layouts) {
      for (const field of Object.values(fields)) {
        const text = `${name} ${field.name === 'parameter-problem' ? 'param-problem' : field.name}`;
        if (younger.has(text) || text === 'rt0 reserved') continue;
        const data = typeofData(text);
        const numbers = [0, 1].map((type) => fromBytes(data.get(type) as Uint8Array, 'host'));
        assert.deepEqual(numbers, [BigInt(id as number), BigInt(field.index)], text);
      }
    }
  },
);
