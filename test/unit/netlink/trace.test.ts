import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTrace, type TraceStep } from '../../../src/index.ts';
import type { Subscription } from '../../../src/netlink/subscription.ts';
import { trace } from '../../../src/netlink/trace.ts';
import type { Transport } from '../../../src/netlink/transport.ts';

/** NFT_MSG_TRACE of the family ip, with these attributes as hexadecimal digits: little-endian heads. */
function message(...attributes: readonly string[]): Uint8Array {
  const body = Buffer.from(attributes.join('').replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(20);
  head.writeUInt32LE(20 + body.length, 0);
  head.writeUInt16LE((10 << 8) | 17, 4);
  head[16] = 2;
  return Buffer.concat([head, body]);
}

/** A kernel that tells these messages, and nothing more. */
function telling(...messages: readonly Uint8Array[]): Transport {
  const rest = [...messages];
  const subscription: Subscription = {
    closed: false,
    generation: 1,
    read: async () => {
      const next = rest.shift();
      return next && { messages: next, overrun: false };
    },
    ref() {},
    unref() {},
    close() {},
  };
  return { closed: false, subscribe: () => subscription, generation: async () => 1 } as unknown as Transport;
}

async function steps(...messages: readonly Uint8Array[]): Promise<TraceStep[]> {
  const found: TraceStep[] = [];
  for await (const step of trace(telling(...messages), {})) if (!step.overrun) found.push(step);
  return found;
}

const TABLE = '0600 0100 7400 0000';
const CHAIN = '0600 0200 6300 0000';
const ID = '0800 0600 00000abc';
const POLICY = ['0800 0400 00000001', '0800 1000 00000001'];
/** The first 20 bytes of IPv4: 192.0.2.1 to 192.0.2.2, protocol 6. */
const NETWORK = '1800 0800 4500 0014 0001 0000 4006 0000 c0000201 c0000202';

test('the connection of a packet: NFTA_TRACE_CT_* of Linux 6.16', async () => {
  const [step] = await steps(
    message(
      ...[TABLE, CHAIN, ID, ...POLICY, NETWORK],
      ...['0800 1200 0000002a', '0500 1300 01 000000', '0800 1400 0000010e', '0800 1500 00000002'],
    ),
  );
  assert.deepEqual(step?.packet?.ct, {
    id: 42,
    direction: 'reply',
    state: 'established',
    status: ['seen-reply', 'assured', 'confirmed', 256],
  });
  assert.deepEqual(
    formatTrace(step)
      .split('\n')
      .map((line) => line.slice(0, 110)),
    [
      'trace id 00000abc ip t c conntrack: ct direction reply ct state established ct status seen-reply,assured,confirmed,0x100 ct id 42'.slice(
        0,
        110,
      ),
      'trace id 00000abc ip t c packet: ip saddr 192.0.2.1 ip daddr 192.0.2.2 ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 1 ip protocol tcp ip length 20'.slice(
        0,
        110,
      ),
      'trace id 00000abc ip t c policy accept',
    ],
  );
});

test('a packet that conntrack leaves alone, and one that it has not seen', async () => {
  const [untracked, unseen] = await steps(
    message(TABLE, CHAIN, ID, ...POLICY, NETWORK, '0800 1500 00000040'),
    message(TABLE, CHAIN, ID, ...POLICY, NETWORK),
  );
  assert.deepEqual(untracked?.packet?.ct, { state: 'untracked' });
  assert.match(
    formatTrace(untracked as TraceStep),
    /^trace id 00000abc ip t c conntrack: ct state untracked$/m,
  );
  assert.equal(unseen?.packet?.ct, undefined);
  assert.doesNotMatch(formatTrace(unseen as TraceStep), /conntrack/);
});

test('verdicts, marks, and rules that are gone', async () => {
  const rule = '0800 0400 00000003';
  const handle = '0c00 0300 0000000000000007';
  const found = await steps(
    message(TABLE, CHAIN, ID, rule, handle, '0c00 0580 0800 0100 fffffffc'),
    message(TABLE, CHAIN, ID, rule, handle, '1800 0580 0800 0100 fffffffd 0900 0200 74686572 00000000'),
    message(TABLE, CHAIN, ID, '0800 0400 00000002', '0c00 0580 0800 0100 fffffffb', '0800 0e00 0000002a'),
    message(TABLE, CHAIN, ID, '0800 0400 00000001', '0800 1000 00000000'),
  );
  assert.deepEqual(found.map(formatTrace), [
    'trace id 00000abc ip t c unknown rule handle 7 (verdict goto)',
    'trace id 00000abc ip t c unknown rule handle 7 (verdict jump ther)',
    'trace id 00000abc ip t c verdict return meta mark 0x0000002a',
    'trace id 00000abc ip t c policy drop',
  ]);
});
