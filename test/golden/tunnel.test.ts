import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError, type Tunnel } from '../../src/index.ts';
import { MESSAGE } from '../../src/message/index.ts';
import { compileTransaction, emptyView } from '../../src/transaction/index.ts';
import { AttributeWriter } from '../../src/wire/attribute-writer.ts';
import { encode } from '../../src/wire/schema.ts';
import { printAttributes } from '../native/printer.ts';
import { tunnels, vxlan } from '../support/tunnels.ts';

const NFPROTO_NETDEV = 5;

function attributesOf(tunnel: Tunnel): Uint8Array {
  const [message] = [...compileTransaction([{ add: { tunnel } }], emptyView)];
  assert.ok(message?.kind === 'message');
  const writer = new AttributeWriter(256);
  encode(message.schema, message.value, writer);
  return writer.bytes();
}

test('libnftnl reads tunnels, and tells as much of them as it prints', () => {
  for (const tunnel of tunnels) {
    const text = printAttributes(MESSAGE.NEWOBJ, NFPROTO_NETDEV, attributesOf(tunnel));
    assert.equal(text, `table t name ${tunnel.name} use 0 [ tunnel id ${tunnel.id} ]`);
  }
});

test('tunnels that lead nowhere are refused, with the place', () => {
  const { type: _, tunnel: __, ...bare } = vxlan;
  const cases: readonly [Partial<Record<keyof Tunnel, unknown>>, path: string][] = [
    [{ ...bare, 'dst-ipv4': undefined }, ''],
    [{ ...bare, id: undefined }, '.id'],
    [{ ...bare, id: 2 ** 32 }, '.id'],
    [{ ...bare, 'dst-ipv6': '2001:db8::1' }, ''],
    [{ ...bare, 'src-ipv4': '2001:db8::1' }, '.src-ipv4'],
    [{ ...bare, ttl: 256 }, '.ttl'],
    [{ ...bare, dport: 65_536 }, '.dport'],
    [{ ...vxlan, tunnel: undefined }, '.tunnel'],
    [{ ...vxlan, tunnel: { gbp: -1 } }, '.tunnel.gbp'],
    [{ ...vxlan, type: 'geneve' }, '.type'],
    [{ ...vxlan, type: 'erspan', tunnel: { version: 3 } }, '.tunnel.version'],
    [{ ...vxlan, type: 'erspan', tunnel: { version: 2, direction: 'up', hwid: 1 } }, '.tunnel.direction'],
  ];
  for (const [tunnel, path] of cases) {
    assert.throws(
      () => compileTransaction([{ add: { tunnel } } as never], emptyView),
      (error) => {
        assert.ok(error instanceof CompileError, String(error));
        assert.equal(error.path, `[0].add.tunnel${path}`, JSON.stringify(tunnel));
        return true;
      },
    );
  }
});
