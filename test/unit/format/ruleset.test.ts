import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatObject, formatRuleset } from '../../../src/format/index.ts';
import type { Ruleset, RulesetElement } from '../../../src/model/index.ts';

const at = { family: 'inet', table: 't' } as const;

/** One object, as nft prints it in its table. */
function block(element: RulesetElement): string {
  const text = formatRuleset({ nftables: [element] });
  assert.match(text, /^table inet t \{\n\t[\s\S]*\n\t\}\n\}\n$/);
  return text.slice('table inet t {\n'.length, -'}\n'.length).replace(/^\t/gm, '');
}

const lines = (...parts: string[]) => `${parts.join('\n')}\n`;

test('tables, and the order of what is in them', () => {
  const ruleset: Ruleset = {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      {
        table: {
          ...at,
          name: 't',
          family: 'inet',
          handle: 1,
          flags: ['persist', 'owner'],
          comment: 'all of it',
        },
      },
      { rule: { ...at, chain: 'early', expr: [{ accept: null }] } },
      { chain: { ...at, name: 'late', handle: 9 } },
      { rule: { ...at, chain: 'late', handle: 10, expr: [{ drop: null }], comment: 'no' } },
      {
        flowtable: {
          ...at,
          name: 'f',
          hook: 'ingress',
          prio: 0,
          dev: ['eth0', '1eth'],
          flags: ['counter', 'offload'],
        },
      },
      { set: { ...at, name: 's', type: 'mark' } },
      { counter: { ...at, name: 'c', packets: 1, bytes: 2, comment: 'hits' } },
      { add: { table: { family: 'ip', name: 'empty' } } },
      { element: { ...at, name: 's', elem: [1, 2] } },
    ],
  };
  const text = `table inet t {
	flags owner,persist
	comment "all of it"

	counter c {
		comment "hits"
		packets 1 bytes 2
	}

	set s {
		type mark
	}

	flowtable f {
		hook ingress priority filter
		devices = { eth0, "1eth" }
		flags offload
		counter
	}

	chain early {
		accept
	}

	chain late {
		drop comment "no"
	}
}
table ip empty {
}
element inet t s { 1, 2 }
`;
  assert.equal(formatRuleset(ruleset), text);
  const withHandles = formatRuleset(ruleset, { handles: true });
  assert.match(withHandles, /^table inet t \{ # handle 1\n/);
  assert.match(withHandles, /\tchain late \{ # handle 9\n\t\tdrop comment "no" # handle 10\n/);
  assert.equal(withHandles.replace(/ # handle \d+/g, ''), text);
});

test('a table that starts with a block has no empty line before it', () => {
  const chain = { chain: { ...at, name: 'c' } };
  const comment = { table: { family: 'inet', name: 't', comment: 'x' } } as const;
  assert.equal(
    formatRuleset({ nftables: [comment, chain] }),
    'table inet t {\n\tcomment "x"\n\tchain c {\n\t}\n}\n',
  );
  const dormant = { table: { family: 'inet', name: 't', flags: 'dormant' } } as const;
  assert.equal(
    formatRuleset({ nftables: [dormant, chain] }),
    'table inet t {\n\tflags dormant\n\n\tchain c {\n\t}\n}\n',
  );
});

test('base chains', () => {
  const base = { ...at, name: 'c', type: 'filter', hook: 'ingress' } as const;
  assert.equal(
    block({ chain: { ...base, hook: 'input', prio: -5, policy: 'drop', comment: 'x' } }),
    lines('chain c {', '\tcomment "x"', '\ttype filter hook input priority filter - 5; policy drop;', '}'),
  );
  assert.equal(
    block({ chain: { ...base, prio: 'filter + 20', dev: 'eth0' } }),
    lines('chain c {', '\ttype filter hook ingress device "eth0" priority filter + 20;', '}'),
  );
  assert.equal(
    block({ chain: { ...base, prio: 20, dev: ['eth0', 'eth1'], policy: 'accept' } }),
    lines(
      'chain c {',
      '\ttype filter hook ingress devices = { eth0, eth1 } priority 20; policy accept;',
      '}',
    ),
  );
});

test('sets and maps, with as many elements on a line as nft has', () => {
  assert.equal(
    block({
      set: {
        ...at,
        name: 's',
        type: ['ipv4_addr', 'inet_service'],
        policy: 'memory',
        size: 9,
        flags: ['timeout', 'dynamic', 'interval'],
        stmt: [{ counter: { packets: 9, bytes: 9 } }],
        timeout: 3600,
        'gc-interval': 3,
        'auto-merge': true,
        comment: 'x',
        elem: [
          { elem: { val: { concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, 'ssh'] }, expires: 5.5 } },
          { concat: ['192.0.2.1', { range: [1, 2] }] },
        ],
      },
    }),
    lines(
      'set s {',
      '\ttype ipv4_addr . inet_service',
      '\tpolicy memory',
      '\tsize 9',
      '\tflags dynamic,interval',
      '\tcounter',
      '\ttimeout 1h',
      '\tgc-interval 3s',
      '\tauto-merge',
      '\tcomment "x"',
      '\telements = { 10.0.0.0/8 . 22 expires 5s500ms,',
      '\t\t     192.0.2.1 . 1-2 }',
      '}',
    ),
  );
  const seven = [1, 2, 3, 4, 5, 6, 7];
  assert.equal(
    block({ set: { ...at, name: 's', type: 'inet_service', flags: 'timeout', elem: seven } }),
    lines(
      'set s {',
      '\ttype inet_service',
      '\tflags timeout',
      '\telements = { 1, 2, 3, 4, 5,',
      '\t\t     6, 7 }',
      '}',
    ),
  );
  assert.equal(
    block({
      map: {
        ...at,
        name: 'm',
        type: 'ipv4_addr',
        map: 'verdict',
        elem: [
          ['192.0.2.1', { accept: null }],
          ['192.0.2.2', { jump: { target: 'c' } }],
          ['*', { drop: null }],
        ],
      },
    }),
    lines(
      'map m {',
      '\ttype ipv4_addr : verdict',
      '\telements = { 192.0.2.1 : accept, 192.0.2.2 : jump c,',
      '\t\t     * : drop }',
      '}',
    ),
  );
  assert.equal(
    block({ map: { ...at, name: 'm', type: 'ifname', map: 'counter', elem: [['eth0', 'hits']] } }),
    lines('map m {', '\ttype ifname : counter', '\telements = { "eth0" : "hits" }', '}'),
  );
  assert.equal(
    block({
      map: {
        ...at,
        name: 'm',
        type: 'ipv4_addr',
        flags: 'interval',
        map: 'ipv4_addr',
        elem: [['192.0.2.1', { range: ['192.0.2.2', '192.0.2.3'] }]],
      },
    }),
    lines(
      'map m {',
      '\ttype ipv4_addr : interval ipv4_addr',
      '\tflags interval',
      '\telements = { 192.0.2.1 : 192.0.2.2-192.0.2.3 }',
      '}',
    ),
  );
});

test('sets that take their type from an expression', () => {
  const length = { payload: { protocol: 'ip', field: 'length' } } as const;
  const mark = { meta: { key: 'mark' } } as const;
  assert.equal(
    block({ set: { ...at, name: 's', type: { typeof: length }, elem: [1, 2] } }),
    lines('set s {', '\ttypeof ip length', '\telements = { 1, 2 }', '}'),
  );
  assert.equal(
    block({
      map: {
        ...at,
        name: 'm',
        type: { typeof: { concat: [length, mark] } },
        map: { typeof: mark },
        elem: [[{ concat: [1, 2] }, 3]],
      },
    }),
    lines(
      'map m {',
      '\ttypeof ip length . meta mark : meta mark',
      '\telements = { 1 . 0x00000002 : 0x00000003 }',
      '}',
    ),
  );
  assert.equal(
    block({ map: { ...at, name: 'm', type: 'ipv4_addr', map: { typeof: mark } } }),
    lines('map m {', '\ttype ipv4_addr : mark', '}'),
  );
});

test('named objects', () => {
  const rows: readonly (readonly [RulesetElement, ...string[]])[] = [
    [
      { quota: { ...at, name: 'o', bytes: 1228800, used: 100, inv: true } },
      'quota o {',
      '\tover 1200 kbytes used 100 bytes',
    ],
    [{ limit: { ...at, name: 'o', rate: 400, per: 'minute', burst: 5 } }, 'limit o {', '\trate 400/minute'],
    [
      {
        limit: {
          ...at,
          name: 'o',
          rate: 1,
          rate_unit: 'kbytes',
          per: 'second',
          burst: 512,
          burst_unit: 'bytes',
          inv: true,
        },
      },
      'limit o {',
      '\trate over 1 kbytes/second burst 512 bytes',
    ],
    [
      { 'ct helper': { ...at, name: 'o', type: 'ftp', protocol: 'tcp', l3proto: 'ip' } },
      'ct helper o {',
      '\ttype "ftp" protocol tcp',
      '\tl3proto ip',
    ],
    [
      {
        'ct timeout': {
          ...at,
          name: 'o',
          protocol: 'tcp',
          l3proto: 'ip',
          policy: { established: 132, close: 13 },
        },
      },
      'ct timeout o {',
      '\tprotocol tcp',
      '\tl3proto ip',
      '\tpolicy = { established : 132, close : 13 }',
    ],
    [{ 'ct timeout': { ...at, name: 'o', protocol: 'udp' } }, 'ct timeout o {', '\tprotocol udp'],
    [
      {
        'ct expectation': {
          ...at,
          name: 'o',
          protocol: 'udp',
          dport: 9876,
          timeout: 120_000,
          size: 12,
          l3proto: 'ip',
        },
      },
      'ct expectation o {',
      '\tprotocol udp',
      '\tdport 9876',
      '\ttimeout 2m',
      '\tsize 12',
      '\tl3proto ip',
    ],
    [
      { synproxy: { ...at, name: 'o', mss: 1460, wscale: 7, flags: ['sack-perm', 'timestamp'] } },
      'synproxy o {',
      '\tmss 1460',
      '\twscale 7',
      '\ttimestamp sack-perm',
    ],
    [
      { secmark: { ...at, name: 'o', context: 'system_u:object_r:ssh_t:s0' } },
      'secmark o {',
      '\t"system_u:object_r:ssh_t:s0"',
    ],
    [
      {
        tunnel: {
          ...at,
          name: 'o',
          id: 1,
          'src-ipv4': '192.0.2.1',
          'dst-ipv4': '192.0.2.2',
          ttl: 3,
          type: 'vxlan',
          tunnel: { gbp: 4 },
        },
      },
      'tunnel o {',
      '\tid 1',
      '\tip saddr 192.0.2.1',
      '\tip daddr 192.0.2.2',
      '\tttl 3',
      '\tvxlan {',
      '\t\tgbp 4',
      '\t}',
    ],
  ];
  for (const [element, ...text] of rows) assert.equal(block(element), lines(...text, '}'));
});

test('one thing alone has the words that name it', () => {
  assert.equal(formatObject({ table: { family: 'ip', name: 't' } }), 'table ip t {\n}');
  assert.equal(formatObject({ chain: { ...at, name: 'c' } }), 'chain inet t c {\n}');
  assert.equal(
    formatObject({ 'ct helper': { ...at, name: 'h', type: 'ftp', protocol: 'tcp' } }),
    'ct helper inet t h {\n\ttype "ftp" protocol tcp\n}',
  );
  const rule = { rule: { ...at, chain: 'c', handle: 3, expr: [{ accept: null }] } } as const;
  assert.equal(formatObject(rule), 'rule inet t c accept');
  assert.equal(formatObject(rule, { handles: true }), 'rule inet t c accept # handle 3');
  assert.equal(
    formatObject({ element: { ...at, name: 'm', elem: [[1, { drop: null }]] } }),
    'element inet t m { 1 : drop }',
  );
});

test('what nft cannot say is a comment and hides nothing', () => {
  const nftables: Ruleset['nftables'] = [
    { table: { family: 'inet', name: 't' } },
    { set: { ...at, name: 's', type: 'ifname', elem: ['a"b'] } },
    { chain: { ...at, name: 'has space' } },
    { chain: { ...at, name: 'c', comment: 'two\nlines' } },
    { table: { family: 'ip', name: '1 table' } },
    { chain: { family: 'ip', table: '1 table', name: 'c' } },
    { rule: { family: 'ip', table: '1 table', chain: 'c', expr: [{ drop: null }] } },
  ];
  const text = formatRuleset({ nftables });
  const code = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  assert.deepEqual(code, ['table inet t {', '}']);
  for (const hidden of ['a\\"b', 'has space', 'two\\nlines', '1 table', 'drop'])
    assert.ok(text.includes(hidden), hidden);
});

test('a command other than add is refused, with its place', () => {
  const nftables = [
    { table: { family: 'ip', name: 't' } },
    { delete: { table: { family: 'ip', name: 't' } } },
  ] as const;
  assert.throws(() => formatRuleset({ nftables }), {
    name: 'TypeError',
    message: /^nftables\[1\]: "delete"/,
  });
});
