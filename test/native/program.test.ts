import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { headerPath, layoutHeader } from '../../scripts/generate-layout.ts';
import { hostIsLittleEndian as LE } from '../../src/datatype/byteorder.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { ProgramWriter, type RowShape } from '../../src/wire/program.ts';
import { layout } from '../../src/wire/program-layout.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  elementAttributes,
  elementsOf,
  INET,
  key,
  NEWSETELEM,
} from './messages.ts';

test('the generated layout is up to date', () => {
  assert.equal(readFileSync(headerPath, 'utf8'), layoutHeader());
});

test('a list of elements is closed by the record after it', () => {
  const program = new ProgramWriter();
  const list = addElements(program, 't', 's', 0);
  addTable(program, 'u', 1);
  assert.throws(() => list.add({ key: key(1) }), /closed/);
});

test('a packed element of the wrong size is refused', () => {
  const list = addElements(new ProgramWriter(), 't', 's', 0);
  assert.throws(() => list.add({ key: new Uint8Array(3) }), /the key .* 3 bytes instead of 4/);
});

/** A program with a record of every kind. */
function sample(): Uint8Array {
  const program = new ProgramWriter({ check: true });
  addTable(program, 't', 0);
  addSet(program, 't', 's', 1);
  const packed = addElements(program, 't', 's', 2);
  for (let i = 0; i < 5; i++) packed.add({ key: key(i) });
  const encoded = program.elements(
    { type: NEWSETELEM, flags: 0x400, family: INET, operation: 3 },
    elementsOf('t', 's'),
  );
  for (let i = 5; i < 9; i++) encoded.add(elementAttributes(key(i)), i % 2 === 0);
  const head = { type: 12, flags: 0x400, family: INET, operation: 4 };
  const first = program.rows(head, elementsOf('t', 's'), { key: 4 }, 3);
  const second = program.rows(head, elementsOf('t', 's'), { key: 4, timeouts: true }, 2);
  const bytes = program.bytes();
  for (let i = 0; i < 3; i++) bytes.set(key(9 + i), first + i * 4);
  for (let i = 0; i < 2; i++) bytes.set(key(12 + i), second + i * 8);
  return program.bytes().slice();
}

test('corrupt programs are refused with the place', requires('root', 'netns'), async (t) => {
  await withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const good = sample();
    assert.equal(socket.submitSync(good).status, 'checked');

    const broken = (change: (view: DataView) => void): Uint8Array => {
      const bytes = good.slice();
      change(new DataView(bytes.buffer));
      return bytes;
    };
    const first = layout.HEADER_SIZE;
    const cases: [string, Uint8Array, RegExp][] = [
      ['nothing', new Uint8Array(0), /at byte 0: 4 bytes wanted where the part ends after 0/],
      ['half a header', good.slice(0, 10), /at byte 8/],
      ['the wrong magic', broken((view) => view.setUint32(0, 1)), /at byte 0: this is no program/],
      ['another version', broken((view) => view.setUint16(4, 77)), /at byte 4: .*version/],
      ['an unknown flag', broken((view) => view.setUint16(6, 0x8080)), /at byte 6: an unknown flag/],
      ['the wrong length', good.slice(0, -4), /at byte 8: the length is not/],
      ['too few records', broken((view) => view.setUint32(12, 1, LE)), /bytes after the last record/],
      ['too many records', broken((view) => view.setUint32(12, 99, LE)), /4 bytes wanted/],
      ['an endless record', broken((view) => view.setUint32(first, 0xfffffffc, LE)), /at byte 20: .* wanted/],
      ['a record of 0 bytes', broken((view) => view.setUint32(first, 0)), /at byte 20: a record of 0 bytes/],
      ['a crooked record', broken((view) => view.setUint32(first, 17, LE)), /a record of 17 bytes/],
      ['an unknown kind', broken((view) => view.setUint8(first + 4, 9)), /at byte 24: .*kind 9/],
    ];
    for (const [name, bytes, message] of cases) {
      await t.test(name, async () => {
        const expected = { code: 'ERR_NFTJS_PROGRAM', message };
        assert.throws(() => socket.submitSync(bytes), expected);
        await assert.rejects(socket.submit(bytes), expected);
      });
    }
  });
});

test('rows that are wrong are refused with the place', requires('root', 'netns'), async () => {
  await withNetns((netns) => {
    using socket = NetlinkSocket.open({ netns });
    const choice = new Uint8Array([8, 0, 2, 0x80, 4, 0, 1, 0]);
    const rows = (shape: RowShape, count: number, change: (bytes: Uint8Array, at: number) => void) => {
      const program = new ProgramWriter({ check: true });
      const at = program.rows({ type: 12, family: INET, operation: 0 }, elementsOf('t', 's'), shape, count);
      const bytes = program.bytes().slice();
      change(bytes, at);
      return bytes;
    };
    const start = layout.HEADER_SIZE;
    const view = (bytes: Uint8Array) => new DataView(bytes.buffer);
    const cases: [Uint8Array, RegExp][] = [
      [
        rows({ key: 4 }, 3, (bytes) => view(bytes).setUint32(start + 20, 4, LE)),
        /12 bytes are not 4 rows of 4/,
      ],
      [rows({ key: 4 }, 3, (bytes) => view(bytes).setUint16(start + 24, 0, LE)), /12 bytes are not 3 rows/],
      [rows({ key: 4 }, 3, (bytes) => view(bytes).setUint16(start + 30, 4, LE)), /unknown flag/],
      [rows({ key: 4 }, 3, (bytes) => view(bytes).setUint32(start + 16, 3, LE)), /a prefix of 3 bytes/],
      [rows({ key: 65532 }, 1, () => {}), /element 0 passes 64 KiB/],
      [
        rows({ key: 4, choices: [choice] }, 2, (bytes, at) => bytes.fill(1, at + 12, at + 13)),
        /element 1 names choice 1 of 1/,
      ],
      [
        rows({ key: 4, choices: [choice] }, 2, (bytes, at) => bytes.fill(2, at - 8, at - 7)),
        /a choice of 2 bytes/,
      ],
      [
        rows({ key: 4, choices: [choice] }, 2, (bytes, at) => bytes.fill(0xff, at - 8, at - 6)),
        /bytes wanted/,
      ],
      [
        rows({ key: 4, choices: [choice] }, 2, (bytes) => view(bytes).setUint16(start + 26, 4, LE)),
        /data beside choices/,
      ],
    ];
    for (const [bytes, message] of cases)
      assert.throws(() => socket.submitSync(bytes), { code: 'ERR_NFTJS_PROGRAM', message });
  });
});

test('no corruption crashes the process', requires('root', 'netns'), async () => {
  await withNetns((netns) => {
    using socket = NetlinkSocket.open({ netns });
    const good = sample();
    const outcomes = new Map<string, number>();
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    const interesting = [0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff];
    for (let round = 0; round < 20_000; round++) {
      const bytes = good.slice(0, random(4) === 0 ? random(good.length + 1) : good.length);
      const view = new DataView(bytes.buffer);
      for (let i = random(4); i >= 0; i--) {
        const at = random(Math.max(1, bytes.length));
        const value = random(2) === 0 ? random(256) : (interesting[random(interesting.length)] as number);
        if (random(2) === 0 && at + 4 <= bytes.length) view.setUint32(at & ~3, value, LE);
        else if (at < bytes.length) view.setUint8(at, value);
      }
      // The length is made right again half of the time, or little else would ever be looked at.
      if (random(2) === 0 && bytes.length >= layout.HEADER_SIZE) view.setUint32(8, bytes.length, LE);
      // Commit nothing, whatever the flags became; and mostly ask for a generation that never was, because the
      // kernel takes milliseconds to abort what it has begun.
      if (bytes.length >= layout.HEADER_SIZE) {
        view.setUint16(6, layout.FLAG_CHECK, LE);
        view.setUint32(16, round % 20 === 0 ? 0 : 0xdead, LE);
      }
      let outcome: string;
      try {
        outcome = socket.submitSync(bytes).status;
      } catch (error) {
        outcome = (error as { code: string }).code;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    assert.deepEqual([...outcomes.keys()].sort(), ['ERR_NFTJS_PROGRAM', 'checked', 'refused']);
    for (const [outcome, count] of outcomes) assert.ok(count > 20, `${outcome} only ${count} times`);
    const after = socket.dumpSync({ type: 1, family: 0 });
    assert.equal(after.messages.length, 0, 'a check left something behind');
  });
});
