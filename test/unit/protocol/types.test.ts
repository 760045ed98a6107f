import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ctKeys, headers, metaKeys } from '../../../src/protocol/index.ts';

/** Compiles only where `Actual` is exactly `Expected`. */
function typed<Expected>() {
  return <Actual>(
    value: Actual & ([Actual, Expected] extends [Expected, Actual] ? unknown : never),
  ): Actual => value;
}

test('the type checker knows every field and what type of value it holds', () => {
  assert.equal(typed<'ipv4_addr'>()(headers.ip.fields.saddr.type), 'ipv4_addr');
  assert.equal(typed<'inet_service'>()(headers.tcp.fields.dport.type), 'inet_service');
  assert.equal(typed<'ether_addr'>()(headers.arp.fields['saddr ether'].type), 'ether_addr');
  assert.equal(typed<'ifname'>()(metaKeys.iifname.type), 'ifname');
  assert.equal(typed<'ct_state'>()(ctKeys.state.type), 'ct_state');
  // @ts-expect-error there is no such field
  assert.equal(headers.ip.fields.hoplimit, undefined);
  // @ts-expect-error a port is no address
  assert.equal(typed<'ipv4_addr'>()(headers.udp.fields.sport.type), 'inet_service');
});
