import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetlinkSocket } from '../../src/netlink/socket.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { requires } from '../support/requirements.ts';
import { addSet, addTable, CREATE, EXCL, elementsOf, INET, key, NEWSETELEM } from './messages.ts';
import { elements, withSocket } from './socket.ts';

const options = requires('root', 'netns');

/** A program around rows that are left out of it: a set, the head of its elements, and a table behind them. */
function around(count: number): { head: Uint8Array; tail: Uint8Array } {
  const program = new ProgramWriter();
  addTable(program, 't', 0);
  addSet(program, 't', 's', 1);
  const head = { type: NEWSETELEM, flags: CREATE | EXCL, family: INET, operation: 2 };
  program.rows(head, elementsOf('t', 's'), { key: 4 }, count, true);
  addTable(program, 'u', 3);
  const [hole] = program.holes;
  const bytes = program.bytes().slice();
  return { head: bytes.subarray(0, hole?.at), tail: bytes.subarray(hole?.at) };
}

/** Keys in rows, that of index `twice` being the first of all again. */
function rows(from: number, to: number, twice = -1): Uint8Array {
  const bytes = new Uint8Array(4 * (to - from));
  for (let i = from; i < to; i++) bytes.set(key(i === twice ? 0 : i), 4 * (i - from));
  return bytes;
}

/** What becomes of a program in such pieces, each of which is overwritten once it was taken in. */
function inPieces(socket: NetlinkSocket, pieces: readonly Uint8Array[]) {
  const program = socket.collect();
  for (const piece of pieces) {
    const given = piece.slice();
    program.append(given);
    given.fill(0xff);
  }
  return socket.submit(program);
}

test('rows come in pieces of any number, and nothing of them is kept', options, () =>
  withSocket(async (socket) => {
    const { head, tail } = around(10_000);
    const pieces = [head, rows(0, 1), rows(1, 9000), rows(9000, 9000), rows(9000, 10_000), tail];
    const { status } = await inPieces(socket, pieces);
    assert.equal(status, 'committed');
    const keys = elements(socket).map((element) => Buffer.from(element).readUInt32BE(element.length - 4));
    assert.deepEqual(
      keys.sort((a, b) => a - b),
      Array.from({ length: 10_000 }, (_, i) => i),
    );
  }),
);

test('the one that is wrong is named, in whichever piece it is', options, () =>
  withSocket(async (socket) => {
    const { head, tail } = around(10_000);
    for (const twice of [1, 4999, 5000, 9999]) {
      const pieces = [head, rows(0, 5000, twice), rows(5000, 10_000, twice), tail];
      const { status, errors } = await inPieces(socket, pieces);
      assert.equal(status, 'refused');
      assert.deepEqual(
        errors.map(({ operation, elements: range, code }) => [operation, range, code]),
        [[2, { first: twice, last: twice }, 'EEXIST']],
      );
    }
  }),
);

test('a program in pieces may be sent beside others, and once', options, () =>
  withSocket(async (socket) => {
    const { head, tail } = around(2);
    const program = socket.collect();
    for (const piece of [head, rows(0, 2)]) program.append(piece);
    const other = new ProgramWriter();
    addTable(other, 'v', 0);
    assert.equal((await socket.submit(other)).status, 'committed');
    program.append(tail);
    assert.equal((await socket.submit(program)).status, 'committed');
    await assert.rejects(socket.submit(program), { code: 'ERR_NFTJS_PROGRAM', message: /no whole program/ });
  }),
);

test('pieces that are wrong are refused with the place', options, () =>
  withSocket(async (socket) => {
    const { head, tail } = around(3);
    const length = head.length;
    const cases: [readonly Uint8Array[], RegExp][] = [
      [[], /byte 0: this is no whole program/],
      [[head], new RegExp(`byte ${length}: this is no whole program`)],
      [[head, rows(0, 3)], new RegExp(`byte ${length + 12}: this is no whole program`)],
      [[head, rows(0, 4)], new RegExp(`byte ${length}: more rows than the record has`)],
      [[head, rows(0, 1).subarray(0, 3)], new RegExp(`byte ${length}: 3 bytes where 3 rows of 4`)],
      [[head.subarray(0, -4)], /bytes wanted where the part ends/],
      [[head.subarray(0, 10)], /byte 8: 4 bytes wanted/],
      [[head, rows(0, 3), tail, tail], /this is no whole program/],
      [[head, rows(0, 3), tail.subarray(0, -4)], /a part of a record/],
    ];
    for (const [pieces, message] of cases) {
      await assert.rejects(async () => inPieces(socket, pieces), { code: 'ERR_NFTJS_PROGRAM', message });
    }
  }),
);
