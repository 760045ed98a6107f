import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  attributes,
  elementsOf,
  GETSETELEM,
  INET,
  key,
  NEWCHAIN,
  NEWTABLE,
  tableName,
} from './messages.ts';
import { printAttributes, printMessage } from './printer.ts';

test('libnftnl reads what the writer encodes', () => {
  assert.match(printAttributes(NEWTABLE, INET, tableName('filter')), /^table filter inet flags 0 use 0/);
  const chain = attributes((to) => {
    to.string(1, 'filter');
    to.string(3, 'input');
    to.begin(4);
    to.u32(1, 1);
    to.u32(2, 0xffffffff);
    to.end();
    to.u32(5, 1);
    to.string(7, 'filter');
  });
  const text = printAttributes(NEWCHAIN, INET, chain);
  assert.match(text, /^inet filter input .*type filter hook input prio -1 policy accept/);
});

test('libnftnl reads a rule with its expressions', () => {
  const rule = attributes((to) => {
    to.string(1, 'filter');
    to.string(2, 'input');
    to.begin(4);
    to.begin(1);
    to.string(1, 'meta');
    to.begin(2);
    to.u32(1, 1);
    to.u32(2, 4);
    to.end();
    to.end();
    to.end();
  });
  assert.equal(printAttributes(6, INET, rule), 'inet filter input\n  [ meta load iif => reg 1 ]\n');
});

test('libnftnl reads the elements that the kernel sends', requires('root', 'netns'), () =>
  withNetns((netns) => {
    using socket = NetlinkSocket.open({ netns });
    const program = new ProgramWriter();
    addTable(program, 't', 0);
    addSet(program, 't', 'm', 1, { flags: 8, data: 4 });
    addElements(program, 't', 'm', 2, { key: 4, data: 4 }).add({
      key: key(0x01020304),
      data: key(0x0a0b0c0d),
    });
    assert.deepEqual(socket.submitSync(program).errors, []);
    const { messages } = socket.dumpSync({
      type: GETSETELEM,
      family: INET,
      attributes: elementsOf('t', 'm'),
    });
    assert.match(printMessage(messages), /element 04030201 +: 0d0c0b0a|element 01020304 +: 0a0b0c0d/);
  }),
);

test('what is no message is refused', () => {
  assert.throws(() => printMessage(new Uint8Array(3)), /no whole netlink message/);
  assert.throws(() => printAttributes(77, INET, tableName('t')), /does not print messages of this type/);
});
