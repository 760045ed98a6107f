import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readMessages } from '../../src/netlink/message.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { readAttributes, readUint64 } from '../../src/wire/attribute-reader.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  attributes,
  CREATE,
  DELTABLE,
  ECHO,
  EXCL,
  elementAttributes,
  elementsOf,
  GETSETELEM,
  GETTABLE,
  INET,
  key,
  NEWCHAIN,
  NEWSETELEM,
  NEWTABLE,
  tableName,
} from './messages.ts';

const options = requires('root', 'netns');

/** Runs `work` with a socket in a fresh namespace. */
function withSocket(work: (socket: NetlinkSocket, netns: string) => void | Promise<void>): Promise<void> {
  return withNetns(async (netns) => {
    await using socket = NetlinkSocket.open({ netns });
    await work(socket, netns);
  });
}

function tableCount(socket: NetlinkSocket): number {
  return [...readMessages(socket.dumpSync({ type: GETTABLE, family: 0 }).messages)].length;
}

/** The payloads of `NFTA_LIST_ELEM`, in the kernel's order. */
function elements(socket: NetlinkSocket, table = 't', set = 's'): Uint8Array[] {
  const { messages } = socket.dumpSync({
    type: GETSETELEM,
    family: INET,
    attributes: elementsOf(table, set),
  });
  return [...readMessages(messages)].flatMap((message) => {
    const list = readAttributes(message.attributes).find(({ id }) => id === 3);
    return readAttributes(list?.payload ?? new Uint8Array()).map(({ payload }) => payload);
  });
}

test('a table is made and deleted', options, () =>
  withSocket(async (socket) => {
    const add = new ProgramWriter();
    addTable(add, 't', 0);
    const added = await socket.submit(add);
    assert.deepEqual(added, {
      status: 'committed',
      generation: 2,
      errors: [],
      echo: [],
      lost: false,
      messages: 3,
      bytes: 20 + 28 + 20,
    });
    assert.equal(tableCount(socket), 1);

    const remove = new ProgramWriter();
    remove.message({ type: DELTABLE, family: INET, operation: 0 }, tableName('t'));
    assert.equal(socket.submitSync(remove).status, 'committed');
    assert.equal(tableCount(socket), 0);
  }),
);

test('echoes bring the handles, each with its operation', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter({ echo: true });
    addTable(program, 't', 40);
    for (let i = 0; i < 500; i++) {
      const chain = attributes((to) => {
        to.string(1, 't');
        to.string(3, `c${i}`);
      });
      program.message({ type: NEWCHAIN, flags: CREATE, family: INET, operation: 100 + i }, chain);
    }
    const { echo, lost, generation } = socket.submitSync(program);
    assert.equal(lost, false);
    assert.equal(generation, 2);
    assert.deepEqual(
      echo.map(({ operation }) => operation),
      [40, ...Array.from({ length: 500 }, (_, i) => 100 + i)],
    );
    const handles = echo.slice(1).map(({ message }) => {
      const [read] = [...readMessages(message)];
      assert.equal(read?.type, NEWCHAIN);
      const handle = readAttributes(read?.attributes ?? new Uint8Array()).find(({ id }) => id === 2);
      return readUint64(handle?.payload ?? new Uint8Array());
    });
    assert.equal(new Set(handles).size, 500);
  }),
);

test('one message may ask for its echo alone', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    addTable(program, 'a', 0);
    addTable(program, 'b', 1, CREATE | ECHO);
    const { echo } = socket.submitSync(program);
    assert.deepEqual(
      echo.map(({ operation }) => operation),
      [1],
    );
  }),
);

test('a check commits nothing, and finds what a commit would', options, () =>
  withSocket((socket) => {
    const fine = new ProgramWriter({ check: true });
    addTable(fine, 't', 0);
    const checked = socket.submitSync(fine);
    assert.equal(checked.status, 'checked');
    assert.equal(checked.generation, undefined);
    assert.equal(tableCount(socket), 0);
    assert.equal(socket.generationSync(), 1);

    const wrong = new ProgramWriter({ check: true });
    addTable(wrong, 't', 0);
    addTable(wrong, 't', 1, CREATE | EXCL);
    const refused = socket.submitSync(wrong);
    assert.equal(refused.status, 'refused');
    assert.deepEqual(
      refused.errors.map(({ operation, code }) => [operation, code]),
      [[1, 'EEXIST']],
    );
  }),
);

test('a transaction for another generation is refused as a whole', options, () =>
  withSocket((socket) => {
    const generation = socket.generationSync();
    const first = new ProgramWriter({ generation });
    addTable(first, 'a', 0);
    assert.equal(socket.submitSync(first).status, 'committed');
    const late = new ProgramWriter({ generation });
    addTable(late, 'b', 0);
    const { status, errors } = socket.submitSync(late);
    assert.equal(status, 'refused');
    assert.deepEqual(
      errors.map(({ code, operation }) => [code, operation]),
      [['ERESTART', undefined]],
    );
    assert.equal(tableCount(socket), 1);
  }),
);

test('an error tells the operation and the attribute, counted from what the caller gave', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    addTable(program, 't', 7);
    const chain = attributes((to) => {
      to.string(1, 't');
      to.string(3, 'c');
      to.begin(4);
      to.u32(1, 99);
      to.u32(2, 0);
      to.end();
      to.string(7, 'filter');
    });
    program.message({ type: NEWCHAIN, flags: CREATE, family: INET, operation: 8 }, chain);
    const missing = new Uint8Array(chain);
    missing.set(Buffer.from('x'), 4);
    program.message({ type: NEWCHAIN, flags: CREATE, family: INET, operation: 9 }, missing);
    const { status, errors } = socket.submitSync(program);
    assert.equal(status, 'refused');
    assert.equal(errors[0]?.operation, 8);
    assert.deepEqual(errors[1], {
      operation: 9,
      errno: 2,
      code: 'ENOENT',
      message: '',
      offset: 0,
      attribute: [1],
    });
    assert.equal(tableCount(socket), 0);
  }),
);

test('an attribute inside of nests is named by its path', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    addTable(program, 't', 0);
    const chain = (name: string, type: string) =>
      attributes((to) => {
        to.string(1, 't');
        to.string(3, name);
        to.begin(4);
        to.u32(1, 1);
        to.u32(2, 0);
        to.end();
        to.string(7, type);
      });
    program.message({ type: NEWCHAIN, flags: CREATE, family: INET, operation: 1 }, chain('c', 'nonsense'));
    const { errors } = socket.submitSync(program);
    assert.equal(errors[0]?.operation, 1);
    assert.deepEqual(errors[0]?.attribute, [7]);
    const at = errors[0]?.offset as number;
    const given = chain('c', 'nonsense').subarray(at + 4, at + 12);
    assert.equal(Buffer.from(given).toString(), 'nonsense');
  }),
);

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

test('one wrong operation among 10,000 is named, and nothing changes', options, () =>
  withSocket((socket) => {
    const program = new ProgramWriter();
    for (let i = 0; i < 10_000; i++) {
      if (i === 5000) program.message({ type: DELTABLE, family: INET, operation: i }, tableName('missing'));
      else addTable(program, `t${i}`, i);
    }
    const { status, errors } = socket.submitSync(program);
    assert.equal(status, 'refused');
    assert.deepEqual(
      errors.map(({ operation, code }) => [operation, code]),
      [[5000, 'ENOENT']],
    );
    assert.equal(tableCount(socket), 0);
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

test('reports that were lost leave no doubt about the outcome', options, () =>
  withNetns((netns) => {
    // The smallest buffer the kernel gives.
    using socket = NetlinkSocket.open({ netns, receiveBuffer: 1 });
    const loud = new ProgramWriter({ echo: true });
    for (let i = 0; i < 2000; i++) addTable(loud, `t${i}`, i);
    const committed = socket.submitSync(loud);
    assert.equal(committed.lost, true);
    assert.equal(committed.status, 'committed');
    assert.equal(committed.generation, 2);
    assert.ok(committed.echo.length > 0 && committed.echo.length < 2000);
    assert.equal(tableCount(socket), 2000);

    const wrong = new ProgramWriter();
    for (let i = 0; i < 2000; i++) addTable(wrong, `t${i}`, i, CREATE | EXCL);
    const refused = socket.submitSync(wrong);
    assert.equal(refused.lost, true);
    assert.equal(refused.status, 'refused');
    assert.equal(refused.errors[0]?.code, 'EEXIST');
    assert.equal(refused.errors[0]?.operation, 0);
  }),
);

test(
  'without privileges: EPERM for the foreign, and everything in a user namespace of one’s own',
  options,
  async (t) => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const run = (command: string[], body: string) => {
      const script = `
      import { NetlinkSocket } from '${new URL('../../src/netlink/socket.ts', import.meta.url)}';
      import { ProgramWriter } from '${new URL('../../src/wire/program.ts', import.meta.url)}';
      import { addTable, addSet, addElements, key } from '${new URL('./messages.ts', import.meta.url)}';
      ${body}`;
      const [program = '', ...rest] = command;
      const { stdout, stderr } = spawnSync(
        program,
        [...rest, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script],
        { encoding: 'utf8', cwd: root },
      );
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout);
    };
    const empty = [
      'unshare',
      '-n',
      'setpriv',
      '--inh-caps=-all',
      '--bounding-set=-all',
      '--ambient-caps=-all',
    ];

    await t.test('no capability at all', () => {
      const body = `
      const socket = NetlinkSocket.open();
      const errors = [];
      for (const check of [false, true]) {
        const program = new ProgramWriter({ check });
        addTable(program, 't', 0);
        const result = socket.submitSync(program);
        errors.push([result.status, ...result.errors.map(({ code, operation }) => [code, operation])]);
      }
      try { socket.generationSync(); } catch ({ code }) { errors.push(code); }
      try { socket.dumpSync({ type: 1, family: 0 }); } catch ({ code }) { errors.push(code); }
      console.log(JSON.stringify(errors));`;
      assert.deepEqual(run(empty, body), [
        ['refused', ['EPERM', null]],
        ['refused', ['EPERM', null]],
        'EPERM',
        'EPERM',
      ]);
    });

    await t.test('a user namespace: works, and says which limit a large batch hits', () => {
      const body = `
      const socket = NetlinkSocket.open();
      const make = (count) => {
        const program = new ProgramWriter();
        addTable(program, 't', 0);
        addSet(program, 't', 's', 1, { size: 1000000 });
        const list = addElements(program, 't', 's', 2);
        for (let i = 0; i < count; i++) list.add({ key: key(i) });
        return program;
      };
      const small = await socket.submit(make(1000));
      let large;
      try { large = await socket.submit(make(1000000)); } catch ({ code, message, advice }) { large = { code, message, advice }; }
      console.log(JSON.stringify([small.status, large, (await socket.submit(make(1000))).status]));`;
      const [small, large, after] = run(['unshare', '-rn'], body);
      assert.equal(small, 'committed');
      assert.equal(large.code, 'EMSGSIZE');
      assert.match(large.message, /16\d{6} bytes does not fit into the send buffer of \d+ bytes.*wmem_max/);
      assert.match(large.advice, /net\.core\.wmem_max/);
      assert.equal(after, 'committed');
    });
  },
);

test('asynchronous calls run in their order', options, () =>
  withSocket(async (socket) => {
    const programs = Array.from({ length: 50 }, (_, i) => {
      const program = new ProgramWriter();
      if (i % 2 === 0)
        program.message({ type: NEWTABLE, flags: CREATE | EXCL, family: INET, operation: 0 }, tableName('t'));
      else program.message({ type: DELTABLE, family: INET, operation: 0 }, tableName('t'));
      return program;
    });
    const results = await Promise.all(programs.map((program) => socket.submit(program)));
    assert.deepEqual(
      results.map(({ status, generation }) => [status, generation]),
      results.map((_, i) => ['committed', i + 2]),
    );
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
