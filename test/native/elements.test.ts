import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAttributes } from '../../src/wire/attribute-reader.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  attributes,
  CREATE,
  EXCL,
  elementAttributes,
  elementsOf,
  INET,
  key,
  NEWSETELEM,
} from './messages.ts';
import { elements, tableCount, withSocket } from './socket.ts';

const options = requires('root', 'netns');

/** A table with a set and `count` elements of 4 bytes, that of index `twice` being the one before it again. */
function filled(count: number, twice = -1): ProgramWriter {
  const program = new ProgramWriter();
  addTable(program, 't', 0);
  addSet(program, 't', 's', 1, { size: count });
  const list = addElements(program, 't', 's', 2, { key: 4 }, CREATE | EXCL);
  for (let i = 0; i < count; i++) list.add({ key: key(i === twice ? i - 1 : i) });
  return program;
}

test('100,000 elements commit whole, in one batch', options, () =>
  withSocket(async (socket) => {
    const { status, messages, bytes } = await socket.submit(filled(100_000));
    assert.equal(status, 'committed');
    // Elements of 16 bytes: a nest of 65,535 takes 4,095.
    assert.equal(messages, 2 + 2 + Math.ceil(100_000 / 4095));
    assert.ok(bytes > 1_600_000);
    const keys = new Set(elements(socket).map((element) => Buffer.from(element).toString('hex')));
    assert.equal(keys.size, 100_000);
  }),
);

test('one wrong element among 100,000 is named, and nothing changes', options, () =>
  withSocket(async (socket) => {
    const before = socket.generationSync();
    for (const twice of [1, 4094, 4095, 4096, 54_321, 99_999]) {
      const { status, errors } = await socket.submit(filled(100_000, twice));
      assert.equal(status, 'refused');
      assert.deepEqual(
        errors.map(({ operation, elements: range, code }) => [operation, range, code]),
        [[2, { first: twice, last: twice }, 'EEXIST']],
      );
    }
    assert.equal(tableCount(socket), 0);
    assert.equal(socket.generationSync(), before);
  }),
);

test('encoded and packed elements make the same set', options, () =>
  withSocket((socket) => {
    const program = filled(9000);
    addSet(program, 't', 'encoded', 3, { size: 9000 });
    const list = program.elements(
      { type: NEWSETELEM, flags: CREATE, family: INET, operation: 4 },
      elementsOf('t', 'encoded'),
    );
    for (let i = 0; i < 9000; i++) list.add(elementAttributes(key(i)));
    assert.equal(socket.submitSync(program).status, 'committed');
    const packed = elements(socket, 't', 's').map((bytes) => Buffer.from(bytes).toString('hex'));
    const encoded = elements(socket, 't', 'encoded').map((bytes) => Buffer.from(bytes).toString('hex'));
    assert.equal(packed.length, 9000);
    assert.deepEqual(encoded.sort(), packed.sort());
  }),
);

test('maps carry data, and the ends of intervals carry none', options, () =>
  withSocket((socket) => {
    const INTERVAL = 4;
    const MAP = 8;
    const program = new ProgramWriter();
    addTable(program, 't', 0);
    addSet(program, 't', 's', 1, { flags: INTERVAL | MAP, data: 4 });
    const list = addElements(program, 't', 's', 2, { key: 4, data: 4 });
    list.add({ key: key(0) }, 1);
    list.add({ key: key(10), data: key(0xabcdef01) });
    list.add({ key: key(20) }, 1, true);
    const { status, errors } = socket.submitSync(program);
    assert.deepEqual([status, errors], ['committed', []]);
    const read = elements(socket).map((bytes) => readAttributes(bytes).map(({ id }) => id));
    assert.deepEqual(
      read.map((ids) => ids.filter((id) => id <= 3)),
      [
        [1, 3],
        [1, 2],
        [1, 3],
      ].sort((a, b) => b.length - a.length),
    );
  }),
);

test('the ends of concatenated intervals are packed too', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    addTable(program, 't', 0);
    const set = attributes((to) => {
      to.string(1, 't');
      to.string(2, 's');
      to.u32(3, 4 | 0x80);
      to.u32(4, 4);
      to.u32(5, 8);
      to.u32(10, 1);
      to.begin(9);
      to.begin(2);
      for (let i = 0; i < 2; i++) {
        to.begin(1);
        to.u32(1, 4);
        to.end();
      }
      to.end();
      to.end();
    });
    program.message({ type: 9, flags: CREATE, family: INET, operation: 1 }, set);
    const list = addElements(program, 't', 's', 2, { key: 8, end: 8 });
    const low = Buffer.from('0a00000000000050', 'hex');
    const high = Buffer.from('0a0000ff00000060', 'hex');
    list.add({ key: low, end: high });
    assert.deepEqual(socket.submitSync(program).errors, []);
    const [element] = elements(socket).map(readAttributes);
    const value = (id: number) =>
      Buffer.from(element?.find((attribute) => attribute.id === id)?.payload.subarray(4) ?? []);
    assert.deepEqual([value(1), value(10)], [low, high]);
  }),
);

test('messages are filled, and no interval is torn apart where they split', options, () =>
  withSocket((socket) => {
    // The set is missing, so every message is refused, and its error tells which elements it had.
    const ranges = (together: boolean, single: number, intervals: number) => {
      const program = new ProgramWriter();
      addTable(program, 't', 0);
      const list = addElements(program, 't', 'missing', 1);
      for (let i = 0; i < single; i++) list.add({ key: key(i) }, 1);
      for (let i = 0; i < intervals; i++) {
        list.add({ key: key(1000 + 4 * i) });
        list.add({ key: key(1002 + 4 * i) }, 1, together);
      }
      const { errors } = socket.submitSync(program);
      assert.ok(errors.every(({ operation, code }) => operation === 1 && code === 'ENOENT'));
      return errors.map(({ elements: range }) => [range?.first, range?.last]);
    };
    // A nest holds 65,531 bytes behind its header. A start takes 16 of them, an end 24.
    assert.deepEqual(ranges(true, 0, 4000), [
      [0, 3275],
      [3276, 6551],
      [6552, 7999],
    ]);
    // 24 + 1637 * 40 = 65,504 leave room for a start, but not for its end.
    assert.deepEqual(ranges(false, 1, 2000), [
      [0, 3275],
      [3276, 4000],
    ]);
    assert.deepEqual(ranges(true, 1, 2000), [
      [0, 3274],
      [3275, 4000],
    ]);
  }),
);

test('what belongs together and does not fit into one message is refused', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    const list = program.elements({ type: NEWSETELEM, family: INET, operation: 0 }, elementsOf('t', 's'));
    list.add(elementAttributes(new Uint8Array(40_000)));
    list.add(elementAttributes(new Uint8Array(40_000)), true);
    assert.throws(() => socket.submitSync(program), /elements 0 to 1 belong together and pass 64 KiB/);
  }),
);

test('a program may be written on while its transaction is under way', options, () =>
  withSocket(async (socket) => {
    const program = filled(1000);
    const first = socket.submit(program);
    addTable(program, 'later', 3);
    program.bytes().fill(0xff);
    assert.equal((await first).status, 'committed');
    assert.equal(elements(socket).length, 1000);
    assert.equal(tableCount(socket), 1);
  }),
);
