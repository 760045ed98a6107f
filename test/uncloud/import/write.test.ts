import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  ImportError,
  importCsv,
  importJson,
  MemoryStore,
  parsePolicy,
  writeImport,
} from '../../../src/uncloud/index.ts';

const CSV = `mac,vm,ifname,bridge,addresses,groups
02:00:00:00:00:01,a,va-0,br0,192.0.2.1 2001:db8:1::/64,web
02:00:00:00:00:02,a,va-1,br0,,
"02:00:00:00:00:03","b",vb-0,br0,"192.0.2.3","web ""db"""
`;

suite('importing a table', () => {
  test('a NIC a line', () => {
    const { vms } = importCsv(CSV);
    assert.deepEqual(vms.a?.nics, [
      {
        ifname: 'va-0',
        bridge: 'br0',
        mac: '02:00:00:00:00:01',
        ipv4: ['192.0.2.1/32'],
        ipv6: ['2001:db8:1::/64'],
        groups: ['web'],
      },
      { ifname: 'va-1', bridge: 'br0', mac: '02:00:00:00:00:02' },
    ]);
    assert.deepEqual(vms.b?.nics[0]?.groups, ['web', '"db"']);
  });

  test('names the line that is wrong', () => {
    const cases = [
      ['', /names of columns/],
      ['vm,colour\n', /column colour/],
      ['vm,ifname,bridge,mac\na,va-0,br0\n', /line 2 has no mac/],
      ['vm,ifname,bridge,mac\n\na,"va-0,br0,x\n', /line 3/],
    ] as const;
    for (const [text, message] of cases)
      assert.throws(
        () => importCsv(text),
        (error) => error instanceof ImportError && message.test(error.message),
      );
  });
});

suite('importing a table as spreadsheets and programs write it', () => {
  const nics = [
    { ifname: 'va-0', bridge: 'br0', mac: '02:00:00:00:00:01', ipv4: ['192.0.2.1/32'], vlans: [10, '20-30'] },
    { ifname: 'va-1', bridge: 'br0', mac: '02:00:00:00:00:02', filter: 'clean-traffic' },
  ];
  test('with semicolons, a byte order mark and CRLF; with tabs', () => {
    const text = `\ufeffvm;ifname;bridge;mac;addresses;vlans;filter\r
a;va-0;br0;02:00:00:00:00:01;192.0.2.1;10 20-30;\r
a;va-1;br0;02:00:00:00:00:02;;;clean-traffic\r
`;
    assert.deepEqual(importCsv(text).vms, { a: { nics } });
    assert.deepEqual(importCsv(text.replaceAll(';', '\t')).vms, { a: { nics } });
  });

  test('a list of NICs, and a policy, as JSON', () => {
    const list = [
      {
        vm: 'a',
        ifname: 'va-0',
        bridge: 'br0',
        mac: '02:00:00:00:00:01',
        addresses: ['192.0.2.1'],
        vlans: [10, '20-30'],
      },
      { vm: 'a', ifname: 'va-1', bridge: 'br0', mac: '02:00:00:00:00:02', filter: 'clean-traffic' },
    ];
    assert.deepEqual(importJson(JSON.stringify(list)).vms, { a: { nics } });
    const networks = { virbr0: { mode: 'nat', ipv4: '192.168.122.0/24' } };
    const policy = importJson(JSON.stringify({ vms: { a: { nics } }, networks }));
    assert.deepEqual([policy.vms, policy.networks, policy.groups], [{ a: { nics } }, networks, {}]);
  });

  test('JSON that is neither is refused, with its place', () => {
    for (const [text, message] of [
      ['{', /not JSON/],
      ['7', /the file is not an object/],
      ['{"vm": {}}', /vm is none of vms/],
      ['{"vms": []}', /vms is not an object/],
      ['[{"vm": "a", "ifname": "x", "bridge": "b"}]', /\[0\] has no mac/],
      ['[{"vm": "a", "colour": "x"}]', /\[0\]\.colour/],
    ] as const)
      assert.throws(
        () => importJson(text),
        (error) => error instanceof ImportError && message.test(error.message),
        text,
      );
  });
});

suite('writing an import', () => {
  test('does not put what would be refused, beside what is there; the others are', async () => {
    await using store = new MemoryStore();
    const table = (rows: string) => importCsv(`vm,ifname,bridge,mac,addresses,groups\n${rows}`);
    await writeImport(store, 'fw/', table('old,vo-0,br0,02:00:00:00:00:09,192.0.2.9,\n'));
    const rows = `a,va-0,br0,02:00:00:00:00:01,192.0.2.9,
b,vb-0,br0,03:00:00:00:00:02,192.0.2.2,
c,vc-0,br0,02:00:00:00:00:03,192.0.2.3,absent
d,vd-0,br0,02:00:00:00:00:04,192.0.2.4,
`;
    const { put, refused } = await writeImport(store, 'fw/', table(rows));
    assert.deepEqual(put, ['fw/vm/d']);
    assert.deepEqual(
      refused.map(({ key, path }) => key + path),
      ['fw/vm/a.nics[0].ipv4', 'fw/vm/b.nics[0].mac', 'fw/vm/c.nics[0].groups[0]'],
    );
    await store.put('fw/group/absent', '{"rules": []}');
    assert.deepEqual((await writeImport(store, 'fw/', table(rows))).put, ['fw/vm/c']);
  });

  test('puts what differs, and nothing the second time; what it puts is valid', async () => {
    await using store = new MemoryStore();
    const imported = { ...importCsv(CSV.replace(',"web ""db"""', ',web')), groups: { web: { rules: [] } } };
    const first = await writeImport(store, 'fw/', imported);
    assert.deepEqual(first.put, ['fw/vm/a', 'fw/vm/b', 'fw/group/web']);
    const { revision, entries } = await store.list('fw/');
    const again = await writeImport(store, 'fw/', imported);
    assert.deepEqual([again.put, again.unchanged.length], [[], 3]);
    assert.equal((await store.list('fw/')).revision, revision, 'the store was left alone');
    const vms = Object.fromEntries(
      entries
        .filter(({ key }) => key.startsWith('fw/vm/'))
        .map(({ key, value }) => [key.slice(6), JSON.parse(value)]),
    );
    assert.deepEqual(parsePolicy({ vms, groups: imported.groups }).problems, []);
  });

  test('leaves a record that says the same in other words; replaces one that is no JSON', async () => {
    await using store = new MemoryStore();
    const { vms } = importCsv('vm,ifname,bridge,mac\na,va-0,br0,02:00:00:00:00:01\n');
    await store.put(
      'fw/vm/a',
      '{ "nics": [ {"mac": "02:00:00:00:00:01",\n "bridge":"br0", "ifname":"va-0"} ] }',
    );
    assert.deepEqual((await writeImport(store, 'fw/', { vms, groups: {}, omissions: [] })).put, []);
    await store.put('fw/vm/a', '{ "nics": [');
    assert.deepEqual((await writeImport(store, 'fw/', { vms, groups: {}, omissions: [] })).put, ['fw/vm/a']);
  });
});
