import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Nic,
  type PolicyOptions,
  parseHost,
  parsePolicy,
  UncloudError,
} from '../../src/uncloud/index.ts';

const host = parseHost({
  bridges: {
    br100: { uplinks: ['vxlan100'], mac: '02:00:00:00:01:00' },
    br200: { shared: false },
    br300: { shared: false },
  },
});

const NIC = { ifname: 'v1-0', bridge: 'br100', mac: '02:00:00:00:00:01', ipv4: ['10.0.0.1/32'] };
const nic = (change: Record<string, unknown> = {}) => ({ ...NIC, ...change });
const vm = (...nics: unknown[]) => ({ nics });
const parse = (vms: Record<string, unknown>, options: PolicyOptions = {}) =>
  parsePolicy({ vms }, { host, ...options });
const where = (problems: readonly { key: string; path: string }[]) =>
  problems.map(({ key, path }) => `${key} ${path}`);

test('a record comes out canonical: lower case, shortest text, longest prefixes first', () => {
  const { policy, problems } = parsePolicy(
    {
      groups: { web: {}, db: {} },
      vms: {
        '343a': {
          version: 1,
          ipv4: ['185.203.112.1/32'],
          ipv6: ['2A0A:E5C1:111:B::/64'],
          nics: [
            nic({
              mac: '02:00:F0:A9:C4:4F',
              ipv6: ['2a0a:e5c1:111:1234::/64', '2a0a:e5c1:0111:0888:0:f0ff:fea9:c44f/128'],
              linkLocal: ['fe80::2', 'fe80::1/128'],
              groups: ['web', 'db', 'web'],
              vlans: ['20-22', 10, 21],
              filter: 'port-security',
              log: { rate: '1/minute' },
            }),
          ],
        },
      },
    },
    { host },
  );
  assert.deepEqual(problems, []);
  const expected: Nic = {
    ifname: 'v1-0',
    bridge: 'br100',
    mac: '02:00:f0:a9:c4:4f',
    ipv4: ['10.0.0.1/32'],
    ipv6: ['2a0a:e5c1:111:888:0:f0ff:fea9:c44f/128', '2a0a:e5c1:111:1234::/64'],
    linkLocal: ['fe80::1/128', 'fe80::2/128'],
    vlans: [10, 20, 21, 22],
    groups: ['web', 'db'],
    filter: 'port-security',
    variables: {},
    log: { level: 'info', rate: 1, per: 'minute' },
  };
  assert.deepEqual(policy.vms['343a'], {
    ipv4: ['185.203.112.1/32'],
    ipv6: ['2a0a:e5c1:111:b::/64'],
    nics: [expected],
  });
});

test("the seed's two fields are a record", () => {
  const { policy, problems } = parse({ seed: { ipv6: ['2001:db8::/64'], ipv4: ['192.0.2.1/32'] } });
  assert.deepEqual(problems, []);
  assert.deepEqual(policy.vms.seed, { ipv4: ['192.0.2.1/32'], ipv6: ['2001:db8::/64'], nics: [] });
});

const REFUSED: readonly (readonly [what: string, record: unknown, path: string])[] = [
  ['no object', 7, ''],
  ['an unknown version', { version: 2 }, '.version'],
  ['an unknown key', { nic: [] }, '.nic'],
  ['nics that are no list', { nics: {} }, '.nics'],
  ['too many nics', vm(...Array.from({ length: 65 }, () => nic())), '.nics'],
  ['too many addresses', { ipv4: Array.from({ length: 1025 }, () => '10.0.0.1/32') }, '.ipv4'],
  ['host bits', { ipv4: ['10.0.0.1/24'] }, '.ipv4[0]'],
  ['IPv6 host bits', { ipv6: ['2001:db8::/64', '2001:db8:1::1/64'] }, '.ipv6[1]'],
  ['no prefix length', { ipv4: ['10.0.0.1'] }, '.ipv4[0]'],
  ['a prefix length with a zero in front', { ipv4: ['10.0.0.1/032'] }, '.ipv4[0]'],
  ['too long a prefix length', { ipv4: ['10.0.0.1/33'] }, '.ipv4[0]'],
  ['an octal address', { ipv4: ['010.0.0.1/32'] }, '.ipv4[0]'],
  ['an address in hexadecimal', { ipv4: ['0x0a000001/32'] }, '.ipv4[0]'],
  ['three parts of four', { ipv4: ['10.0.1/32'] }, '.ipv4[0]'],
  ['everything, IPv4', { ipv4: ['0.0.0.0/0'] }, '.ipv4[0]'],
  ['everything, IPv6', { ipv6: ['::/0'] }, '.ipv6[0]'],
  ['multicast', { ipv4: ['224.0.0.1/32'] }, '.ipv4[0]'],
  ['a block with multicast inside', { ipv4: ['192.0.0.0/2'] }, '.ipv4[0]'],
  ['loopback', { ipv4: ['127.0.0.1/32'] }, '.ipv4[0]'],
  ['unspecified', { ipv4: ['0.0.0.0/32'] }, '.ipv4[0]'],
  ['broadcast', { ipv4: ['255.255.255.255/32'] }, '.ipv4[0]'],
  ['IPv6 multicast', { ipv6: ['ff02::1/128'] }, '.ipv6[0]'],
  ['IPv6 loopback', { ipv6: ['::1/128'] }, '.ipv6[0]'],
  ['IPv6 unspecified', { ipv6: ['::/128'] }, '.ipv6[0]'],
  ['an IPv4-mapped address', { ipv6: ['::ffff:10.0.0.1/128'] }, '.ipv6[0]'],
  ['a block with IPv4-mapped addresses inside', { ipv6: ['::/8'] }, '.ipv6[0]'],
  ['an address with a zone', { ipv6: ['fe80::1%eth0/128'] }, '.ipv6[0]'],
  ['IPv6 among IPv4', { ipv4: ['2001:db8::1/128'] }, '.ipv4[0]'],
  ['a number as address', { ipv4: [1] }, '.ipv4[0]'],
  ['no ifname', vm(nic({ ifname: undefined })), '.nics[0].ifname'],
  ['an empty ifname', vm(nic({ ifname: '' })), '.nics[0].ifname'],
  ['an ifname of 16 bytes', vm(nic({ ifname: 'v234567890123456' })), '.nics[0].ifname'],
  ['an ifname of 16 bytes in 8 letters', vm(nic({ ifname: 'éééééééé' })), '.nics[0].ifname'],
  ['an ifname with *', vm(nic({ ifname: 'v*' })), '.nics[0].ifname'],
  ['an ifname that would name a set', vm(nic({ ifname: '@ports' })), '.nics[0].ifname'],
  ['an ifname that is a directory', vm(nic({ ifname: '..' })), '.nics[0].ifname'],
  ['an ifname with /', vm(nic({ ifname: 'v/0' })), '.nics[0].ifname'],
  ['an ifname with space', vm(nic({ ifname: 'v 0' })), '.nics[0].ifname'],
  ['an ifname with a line feed', vm(nic({ ifname: 'v\n0' })), '.nics[0].ifname'],
  ["an uplink's ifname", vm(nic({ ifname: 'vxlan100' })), '.nics[0].ifname'],
  ["a bridge's ifname", vm(nic({ ifname: 'br100' })), '.nics[0].ifname'],
  ['one ifname twice', vm(nic(), nic()), '.nics[1].ifname'],
  ['no bridge', vm(nic({ bridge: undefined })), '.nics[0].bridge'],
  ['a multicast MAC', vm(nic({ mac: '03:00:00:00:00:01' })), '.nics[0].mac'],
  ['the zero MAC', vm(nic({ mac: '00:00:00:00:00:00' })), '.nics[0].mac'],
  ['a short MAC', vm(nic({ mac: '02:00:00:00:01' })), '.nics[0].mac'],
  ["the bridge's MAC", vm(nic({ mac: '02:00:00:00:01:00' })), '.nics[0].mac'],
  ['a filter that does not exist', vm(nic({ filter: 'clean' })), '.nics[0].filter'],
  ['a group that does not exist', vm(nic({ groups: ['web'] })), '.nics[0].groups[0]'],
  ['a VLAN id of 0', vm(nic({ vlans: [0] })), '.nics[0].vlans[0]'],
  ['a VLAN id of 4095', vm(nic({ vlans: ['7-4095'] })), '.nics[0].vlans[0]'],
  ['a log without end', vm(nic({ log: { rate: 'always' } })), '.nics[0].log.rate'],
  ['an unknown key in a NIC', vm(nic({ adress: [] })), '.nics[0].adress'],
  ['an unknown link-local mode', vm(nic({ linkLocal: 'all' })), '.nics[0].linkLocal'],
  ['a global link-local address', vm(nic({ linkLocal: ['2001:db8::1'] })), '.nics[0].linkLocal[0]'],
  ['a link-local network', vm(nic({ linkLocal: ['fe80::/64'] })), '.nics[0].linkLocal[0]'],
];

for (const [what, record, path] of REFUSED) {
  test(`a VM with ${what} is refused, and nobody else`, () => {
    const other = vm(nic({ ifname: 'other', mac: '02:00:00:00:00:99', ipv4: ['10.9.9.9/32'] }));
    const { policy, problems, kept } = parse({ bad: record, other });
    assert.deepEqual(where(problems), [`distributed-firewall/vm/bad ${path}`]);
    assert.ok(problems[0]?.why);
    assert.deepEqual(Object.keys(policy.vms), ['other']);
    assert.deepEqual(kept, []);
  });
}

test('a refused VM keeps its last good record', () => {
  const { policy: previous } = parse({ a: vm(nic()) });
  const { policy, problems, kept, blocked } = parse({ a: vm(nic({ mac: 'nonsense' })) }, { previous });
  assert.deepEqual(policy, previous);
  assert.deepEqual(kept, ['a']);
  assert.deepEqual(where(problems), ['distributed-firewall/vm/a .nics[0].mac']);
  assert.deepEqual(blocked, []);
});

test('without a good record, the ports of a refused VM are blocked', () => {
  const { policy, blocked } = parse({
    a: vm(nic({ mac: 'nonsense' }), nic({ ifname: 'v1*' })),
    b: vm(nic({ ifname: 'vxlan100' })),
    c: vm(nic({ ifname: 'v2-0', bridge: 'elsewhere', mac: 'nonsense' })),
  });
  assert.deepEqual(policy.vms, {});
  assert.deepEqual(blocked, ['v1-0']);
});

const SECOND = { ifname: 'v2-0', mac: '02:00:00:00:00:02', ipv4: ['10.0.0.2/32'] };

const CLAIMS: readonly (readonly [what: string, second: Record<string, unknown>, path: string])[] = [
  ['the same MAC', { mac: NIC.mac }, '.nics[0].mac'],
  ['the same port', { ifname: NIC.ifname }, '.nics[0].ifname'],
  ['the same address', { ipv4: ['10.0.0.1/32'] }, '.nics[0].ipv4'],
  ['a network around the address', { ipv4: ['10.0.0.0/24'] }, '.nics[0].ipv4'],
  ['an address in the network', { ipv6: ['2001:db8::1/128'] }, '.nics[0].ipv6'],
  ['the same link-local address', { linkLocal: ['fe80::ff:fe00:1'] }, '.nics[0].linkLocal'],
];

for (const [what, change, path] of CLAIMS) {
  const first = vm(nic({ ipv6: ['2001:db8::/64'] }));
  const second = vm(nic({ ...SECOND, ...change }));

  test(`${what}: the lower id stands`, () => {
    const { policy, problems } = parse({ b: second, a: first });
    assert.deepEqual(Object.keys(policy.vms), ['a']);
    assert.deepEqual(where(problems), [`distributed-firewall/vm/b ${path}`]);
    assert.match(problems[0]?.why ?? '', /belongs.* to VM a$/);
  });

  test(`${what}: the lower revision stands`, () => {
    const { policy } = parse({ a: first, b: second }, { revisions: { a: 9, b: 3 } });
    assert.deepEqual(Object.keys(policy.vms), ['b']);
  });

  test(`${what}: the claim from before stands`, () => {
    const { policy: previous } = parse({ b: second });
    const { policy, kept } = parse({ a: first, b: second }, { previous, revisions: { a: 1, b: 2 } });
    assert.deepEqual(Object.keys(policy.vms), ['b']);
    assert.deepEqual(kept, []);
  });
}

test('a VM that asks for what another has is refused, however old it is', () => {
  const theirs = vm(nic(SECOND));
  const { policy: previous } = parse({ a: vm(nic()), b: theirs });
  const greedy = vm(nic({ ipv4: ['10.0.0.0/30'] }));
  const { policy, kept } = parse({ a: greedy, b: theirs }, { previous, revisions: { a: 1, b: 2 } });
  assert.deepEqual(policy, previous);
  assert.deepEqual(kept, ['a']);
  const { policy: meanwhile } = parse({ a: greedy, b: vm(nic({ ...SECOND, mac: 'broken' })) }, { previous });
  assert.deepEqual(meanwhile, previous);
});

test('what one VM gives up another may take in the same change', () => {
  const { policy: previous } = parse({ a: vm(nic()), b: vm(nic(SECOND)) });
  const { policy, problems } = parse(
    { a: vm(nic({ ipv4: ['10.0.0.2/32'] })), b: vm(nic({ ...SECOND, ipv4: [] })) },
    { previous },
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(policy.vms.a?.nics[0]?.ipv4, ['10.0.0.2/32']);
});

test('an overlap is found whichever length comes first, between many', () => {
  const seed = (...ipv6: string[]) => ({ ipv6 });
  const { problems } = parse({
    a: seed('2001:db8:1::/48', '2001:db8:2:3::/64'),
    b: seed('2001:db8:2:4::/64', '2001:db8:2:5::1/128'),
    c: seed('2001:db8:1:ffff::1/128'),
    d: seed('2001:db8:2::/48'),
    e: seed('2001:db8:2:5::/64'),
    f: seed('2001:db8:3::/48', '2001:db8:2:6::/64'),
  });
  assert.deepEqual(where(problems), [
    'distributed-firewall/vm/c .ipv6',
    'distributed-firewall/vm/d .ipv6',
    'distributed-firewall/vm/e .ipv6',
  ]);
});

test('private networks have addresses of their own', () => {
  const { problems } = parse({
    a: vm(nic({ bridge: 'br200' })),
    b: vm(nic({ ...SECOND, bridge: 'br300', ipv4: ['10.0.0.1/32'] })),
    c: vm(nic({ ifname: 'v3-0', mac: '02:00:00:00:00:03' })),
    d: vm(nic({ ifname: 'v4-0', mac: '02:00:00:00:00:04', bridge: 'br200' })),
  });
  assert.deepEqual(where(problems), ['distributed-firewall/vm/d .nics[0].ipv4']);
});

test('two cards of a VM may share an address and a MAC', () => {
  assert.deepEqual(parse({ a: vm(nic(), nic({ ifname: 'v1-1' })) }).problems, []);
});

const UNREADABLE: readonly (readonly [unknown, string])[] = [
  [[], ''],
  [{ version: 3 }, '.version'],
  [{ vms: [] }, '.vms'],
  [{ vm: {} }, '.vm'],
  [{ groups: 1 }, '.groups'],
  [{ networks: [] }, '.networks'],
  [{ filters: 'all' }, '.filters'],
];

for (const [value, path] of UNREADABLE) {
  test(`the policy ${JSON.stringify(value)} as a whole is refused`, () => {
    assert.throws(
      () => parsePolicy(value),
      (error) => error instanceof UncloudError && error.key === 'policy' && error.path === path,
    );
  });
}

test('a VM id is no way out of the store', () => {
  const vms = { 'a/b': {}, '': {}, ['x'.repeat(129)]: {}, ['__proto__']: {} };
  const { policy, problems } = parse(vms);
  assert.deepEqual(Object.keys(policy.vms), ['__proto__']);
  assert.equal(problems.length, 3);
});
