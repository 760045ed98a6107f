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
  addTable,
  attributes,
  CREATE,
  DELTABLE,
  ECHO,
  EXCL,
  INET,
  NEWCHAIN,
  NEWTABLE,
  tableName,
} from './messages.ts';
import { tableCount, withSocket } from './socket.ts';

const options = requires('root', 'netns');

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
