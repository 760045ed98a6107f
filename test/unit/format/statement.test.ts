import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRule, formatStatement } from '../../../src/format/index.ts';
import type { Statement } from '../../../src/model/index.ts';

type Kind = Statement extends infer S ? (S extends unknown ? keyof S : never) : never;

const saddr = { payload: { protocol: 'ip', field: 'saddr' } } as const;
const dport = { payload: { protocol: 'tcp', field: 'dport' } } as const;
const mark = { meta: { key: 'mark' } } as const;
const flags = { payload: { protocol: 'tcp', field: 'flags' } } as const;

/** At least one row for every kind: the type checker misses none. */
const rows: Readonly<Record<Kind, readonly (readonly [Statement, text: string])[]>> = {
  accept: [[{ accept: null }, 'accept']],
  drop: [[{ drop: null }, 'drop']],
  continue: [[{ continue: null }, 'continue']],
  return: [[{ return: null }, 'return']],
  jump: [[{ jump: { target: 'to-vm' } }, 'jump to-vm']],
  goto: [[{ goto: { target: 'x' } }, 'goto x']],
  match: [
    [{ match: { op: '==', left: dport, right: 22 } }, 'tcp dport 22'],
    [{ match: { op: '!=', left: dport, right: 'ssh' } }, 'tcp dport != 22'],
    [{ match: { op: '>=', left: dport, right: 1024 } }, 'tcp dport >= 1024'],
    [{ match: { op: '==', left: dport, right: { range: [1, 2] } } }, 'tcp dport 1-2'],
    [
      { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } },
      'ct state established,related',
    ],
    [{ match: { op: 'in', left: flags, right: 'syn' } }, 'tcp flags syn'],
    [{ match: { op: '==', left: flags, right: 'syn' } }, 'tcp flags == syn'],
    [{ match: { op: '==', left: flags, right: { '|': ['syn', 'ack'] } } }, 'tcp flags == syn | ack'],
    [
      { match: { op: '==', left: flags, right: { set: ['syn', { '|': ['syn', 'ack'] }] } } },
      'tcp flags { syn, syn | ack }',
    ],
    [{ match: { op: '==', left: flags, right: { range: [1, 3] } } }, 'tcp flags 0x1-0x3'],
    [{ match: { op: '!', left: flags, right: ['fin', 'syn'] } }, 'tcp flags ! fin,syn'],
    [
      { match: { op: '==', left: { '&': [flags, ['fin', 'syn']] }, right: 'syn' } },
      'tcp flags syn / fin,syn',
    ],
    [
      { match: { op: '!=', left: { '&': [flags, ['fin', 'syn']] }, right: 'syn' } },
      'tcp flags != syn / fin,syn',
    ],
    [
      { match: { op: '==', left: { '&': [flags, { '|': ['fin', 'syn'] }] }, right: 'syn' } },
      'tcp flags & (fin | syn) == syn',
    ],
    [
      { match: { op: '==', left: { payload: { protocol: 'comp', field: 'flags' } }, right: 3 } },
      'comp flags 0x3',
    ],
    [{ match: { op: '==', left: { '&': [mark, 255] }, right: 1 } }, 'meta mark & 0x000000ff == 0x00000001'],
    [{ match: { op: '==', left: saddr, right: '@blocked' } }, 'ip saddr @blocked'],
    [
      {
        match: {
          op: '!=',
          left: saddr,
          right: { set: ['192.0.2.1', { prefix: { addr: '10.0.0.0', len: 8 } }] },
        },
      },
      'ip saddr != { 192.0.2.1, 10.0.0.0/8 }',
    ],
    [
      { match: { op: '==', left: { 'tcp option': { base: 255, offset: 0, len: 8 } }, right: false } },
      'tcp option 255 missing',
    ],
  ],
  counter: [
    [{ counter: null }, 'counter'],
    [{ counter: { packets: 3, bytes: 2n ** 60n } }, 'counter packets 3 bytes 1152921504606846976'],
    [{ counter: 'web' }, 'counter name "web"'],
    [
      { counter: { map: { key: saddr, data: { set: [['192.0.2.1', 'web']] } } } },
      'counter name ip saddr map { 192.0.2.1 : "web" }',
    ],
  ],
  mangle: [
    [{ mangle: { key: mark, value: 1 } }, 'meta mark set 0x00000001'],
    [{ mangle: { key: { ct: { key: 'event' } }, value: ['new', 'related'] } }, 'ct event set new,related'],
    [
      { mangle: { key: mark, value: { map: { key: dport, data: { set: [[22, 1]] } } } } },
      'meta mark set tcp dport map { 22 : 0x00000001 }',
    ],
    [
      { mangle: { key: mark, value: { '<<': [{ '&': [mark, 255] }, 3] } } },
      'meta mark set (meta mark & 0x000000ff) << 3',
    ],
  ],
  quota: [
    [{ quota: { val: 2048, inv: true, used: 1536 } }, 'quota over 2 kbytes used 1536 bytes'],
    [{ quota: { val: 25, val_unit: 'mbytes', used: 0, used_unit: 'bytes' } }, 'quota 25 mbytes'],
    [{ quota: 'day' }, 'quota name "day"'],
  ],
  limit: [
    [{ limit: { rate: 10, per: 'second', burst: 5 } }, 'limit rate 10/second'],
    [
      { limit: { rate: 10, per: 'minute', burst: 7, inv: true } },
      'limit rate over 10/minute burst 7 packets',
    ],
    [
      { limit: { rate: 1, rate_unit: 'mbytes', per: 'second', burst: 1025, burst_unit: 'bytes' } },
      'limit rate 1 mbytes/second burst 1025 bytes',
    ],
    [{ limit: 'slow' }, 'limit name "slow"'],
  ],
  fwd: [
    [{ fwd: { dev: 'eth0' } }, 'fwd to "eth0"'],
    [{ fwd: { dev: 'eth0', family: 'ip6', addr: '2001:db8::1' } }, 'fwd ip6 to 2001:db8::1 device "eth0"'],
  ],
  notrack: [[{ notrack: null }, 'notrack']],
  dup: [
    [{ dup: { addr: '192.0.2.1', dev: 'eth0' } }, 'dup to 192.0.2.1 device "eth0"'],
    [{ dup: { dev: 'eth0' } }, 'dup to "eth0"'],
  ],
  snat: [
    [
      { snat: { family: 'ip', addr: '192.0.2.1', port: { range: [1, 9] }, flags: ['persistent', 'random'] } },
      'snat ip to 192.0.2.1:1-9 random,persistent',
    ],
    [
      {
        snat: {
          family: 'ip',
          addr: { map: { key: saddr, data: '@m' } },
          type_flags: 'prefix',
          flags: 'netmap',
        },
      },
      'snat ip prefix to ip saddr map @m',
    ],
    [{ snat: null }, 'snat'],
  ],
  dnat: [
    [{ dnat: { addr: '2001:db8::1' } }, 'dnat to 2001:db8::1'],
    [
      { dnat: { family: 'ip6', addr: { range: ['2001:db8::1', '2001:db8::2'] }, port: 80 } },
      'dnat ip6 to [2001:db8::1]-[2001:db8::2]:80',
    ],
    [{ dnat: { port: 80 } }, 'dnat to :80'],
    [
      {
        dnat: {
          family: 'ip',
          addr: { map: { key: dport, data: { set: [[1, { concat: ['192.0.2.1', 'http'] }]] } } },
        },
      },
      'dnat ip to tcp dport map { 1 : 192.0.2.1 . 80 }',
    ],
  ],
  masquerade: [[{ masquerade: { port: 1024, flags: 'fully-random' } }, 'masquerade to :1024 fully-random']],
  redirect: [
    [{ redirect: null }, 'redirect'],
    [
      { redirect: { port: { map: { key: dport, data: { set: [[1, 2]] } } } } },
      'redirect to :tcp dport map { 1 : 2 }',
    ],
  ],
  reject: [
    [{ reject: null }, 'reject'],
    [{ reject: { type: 'tcp reset' } }, 'reject with tcp reset'],
    [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }, 'reject'],
    [{ reject: { type: 'icmp', expr: 'port-unreachable' } }, 'reject with icmp port-unreachable'],
    [{ reject: { type: 'icmpx', expr: 3 } }, 'reject with icmpx admin-prohibited'],
  ],
  set: [
    [{ set: { op: 'add', elem: saddr, set: '@seen' } }, 'add @seen { ip saddr }'],
    [
      { set: { op: 'delete', elem: { elem: { val: saddr, timeout: 0 } }, set: '@seen' } },
      'delete @seen { ip saddr }',
    ],
    [
      {
        set: {
          op: 'update',
          elem: { elem: { val: saddr, timeout: 90 } },
          set: '@seen',
          stmt: [{ counter: { packets: 4 } }],
        },
      },
      'update @seen { ip saddr timeout 1m30s counter }',
    ],
  ],
  map: [
    [
      { map: { op: 'add', elem: { elem: { val: saddr, timeout: 3 } }, data: mark, map: '@m' } },
      'add @m { ip saddr timeout 3s : meta mark }',
    ],
  ],
  log: [
    [{ log: null }, 'log'],
    [
      { log: { prefix: 'in: ', group: 0, snaplen: 3, 'queue-threshold': 4 } },
      'log prefix "in: " group 0 snaplen 3 queue-threshold 4',
    ],
    [
      { log: { level: 'debug', flags: ['ether', 'tcp options', 'tcp sequence'] } },
      'log level debug flags tcp sequence,options flags ether',
    ],
    [{ log: { level: 'warn', flags: 'all' } }, 'log flags all'],
  ],
  'ct helper': [[{ 'ct helper': 'ftp-std' }, 'ct helper set "ftp-std"']],
  'ct timeout': [[{ 'ct timeout': 'short' }, 'ct timeout set "short"']],
  'ct expectation': [[{ 'ct expectation': 'x' }, 'ct expectation set "x"']],
  'ct count': [[{ 'ct count': { val: 20, inv: true } }, 'ct count over 20']],
  meter: [
    [
      {
        meter: {
          name: 'm',
          size: 100,
          key: { elem: { val: saddr, timeout: 3 } },
          stmt: { limit: { rate: 1, per: 'second' } },
        },
      },
      'meter m size 100 { ip saddr timeout 3s limit rate 1/second }',
    ],
  ],
  queue: [
    [{ queue: null }, 'queue'],
    [{ queue: { num: { range: [2, 3] }, flags: ['fanout', 'bypass'] } }, 'queue flags bypass,fanout to 2-3'],
    [{ queue: { num: { symhash: { mod: 4, offset: 2 } } } }, 'queue to symhash mod 4 offset 2'],
  ],
  vmap: [
    [
      {
        vmap: {
          key: { concat: [{ meta: { key: 'iifname' } }, dport] },
          data: {
            set: [
              [{ concat: ['eth0', 22] }, { jump: { target: 'ssh' } }],
              ['*', { drop: null }],
            ],
          },
        },
      },
      'iifname . tcp dport vmap { "eth0" . 22 : jump ssh, * : drop }',
    ],
    [{ vmap: { key: saddr, data: '@policy' } }, 'ip saddr vmap @policy'],
  ],
  flow: [[{ flow: { op: 'add', flowtable: '@fast' } }, 'flow add @fast']],
  tproxy: [
    [{ tproxy: { family: 'ip6', addr: '2001:db8::1' } }, 'tproxy ip6 to [2001:db8::1]'],
    [{ tproxy: { port: 80 } }, 'tproxy to :80'],
  ],
  synproxy: [
    [{ synproxy: null }, 'synproxy'],
    [
      { synproxy: { mss: 1460, wscale: 7, flags: ['sack-perm', 'timestamp'] } },
      'synproxy mss 1460 wscale 7 timestamp sack-perm',
    ],
    [{ synproxy: 'web' }, 'synproxy name "web"'],
  ],
  secmark: [[{ secmark: 'ssh' }, 'meta secmark set "ssh"']],
  tunnel: [[{ tunnel: 't' }, 'tunnel name "t"']],
  last: [
    [{ last: null }, 'last used never'],
    [{ last: { used: 61_500 } }, 'last used 1m1s500ms'],
  ],
  reset: [[{ reset: { 'tcp option': { name: 'mptcp' } } }, 'reset tcp option mptcp']],
  xt: [[{ xt: { type: 'match', name: 'u32' } }, '# not in nft syntax: {"xt":{"type":"match","name":"u32"}}']],
  opaque: [
    [
      { opaque: { name: 'new', data: '00ff' } },
      '# not in nft syntax: {"opaque":{"name":"new","data":"00ff"}}',
    ],
  ],
};

for (const [kind, cases] of Object.entries(rows)) {
  test(`${kind} in nft syntax`, () => {
    assert.ok(cases.length > 0);
    for (const [statement, text] of cases) assert.equal(formatStatement(statement), text);
  });
}

const inFamily = (family: 'ip' | 'ip6' | 'inet' | 'netdev', expr: readonly Statement[]) =>
  formatRule({ family, table: 't', chain: 'c', expr });

test('the family says what a reject without more words means, and whether a copy goes to a device', () => {
  const reject = { reject: { type: 'icmp', expr: 'port-unreachable' } } as const;
  assert.equal(inFamily('ip', [reject]), 'reject');
  assert.equal(inFamily('ip6', [reject]), 'reject with icmp port-unreachable');
  assert.equal(inFamily('ip6', [{ reject: { type: 'icmpv6', expr: 'port-unreachable' } }]), 'reject');
  assert.equal(inFamily('netdev', [{ dup: { addr: 'eth0' } }]), 'dup to "eth0"');
});

test('a rule that nft cannot say is one line of comment as a whole', () => {
  const opaque = { opaque: { name: 'new', data: '' } } as const;
  const rule = { family: 'ip', table: 't', chain: 'c', handle: 7 } as const;
  const comment = '# not in nft syntax: ';
  assert.equal(
    formatRule({ ...rule, expr: [opaque, { accept: null }] }),
    `${comment}{"expr":[{"opaque":{"name":"new","data":""}},{"accept":null}]}`,
  );
  const quotation = formatRule({ ...rule, expr: [{ accept: null }], comment: 'a "b"\nc' }, { handles: true });
  assert.equal(quotation, `${comment}{"expr":[{"accept":null}],"comment":"a \\"b\\"\\nc"} # handle 7`);
  const inside = inFamily('ip', [{ set: { op: 'add', elem: saddr, set: '@s', stmt: [opaque] } }]);
  assert.match(inside, /^# not in nft syntax: .*"opaque"/);
});

test('text from outside cannot end a statement and begin another', () => {
  const evil = ['lo" drop; "', 'a\naccept', 'x # y', 'x; accept', '} accept'];
  for (const text of evil) {
    const right = formatStatement({ match: { op: '==', left: { meta: { key: 'iifname' } }, right: text } });
    assert.match(right, /^(# not in nft syntax: .*|iifname "[^"\n]*")$/);
    const address = formatStatement({ match: { op: '==', left: saddr, right: text } });
    assert.match(address, /^(# not in nft syntax: .*|ip saddr "[^"\n]*")$/);
    assert.match(formatStatement({ jump: { target: text } }), /^# not in nft syntax: .*$/);
    const field = { payload: { protocol: 'ip', field: text } } as never;
    if (/[";\n#]/.test(text))
      assert.match(formatStatement({ mangle: { key: field, value: 1 } }), /^# not in nft/);
  }
});
