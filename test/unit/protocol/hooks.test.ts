import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  chainTypes,
  checkChainType,
  type FamilyName,
  families,
  findHook,
  formatPriority,
  type HookName,
  hookByNumber,
  hookHasDevices,
  hooks,
  parsePriority,
  priorities,
} from '../../../src/protocol/index.ts';
import { requires } from '../../support/requirements.ts';

const familyNames = Object.keys(families) as FamilyName[];
const hookNames: HookName[] = [
  'prerouting',
  'input',
  'forward',
  'output',
  'postrouting',
  'ingress',
  'egress',
];

interface Chain {
  readonly family: FamilyName;
  readonly type: string;
  readonly hook: HookName;
  readonly priority: string;
}

/** Which of the base chains nft and the kernel take, each alone, without committing. */
function accepted(chains: readonly Chain[]): boolean[] {
  const checks = chains.map(({ family, type, hook, priority }) => {
    const device = hook === 'ingress' || hook === 'egress' ? 'device lo' : '';
    const chain = `add chain ${family} t c { type ${type} hook ${hook} ${device} priority ${priority}; }`;
    return `nft -c 'add table ${family} t; ${chain}' 2>&1 >&- | wc -c`;
  });
  const { stdout, status } = spawnSync('unshare', ['--net', 'sh'], {
    input: checks.join('\n'),
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  const sizes = stdout.trim().split('\n').map(Number);
  assert.equal(sizes.length, chains.length);
  return sizes.map((size) => size === 0);
}

test('chain types are legal where the kernel takes them', requires('root', 'netns', 'nft', 'nat'), () => {
  const chains = familyNames.flatMap((family) =>
    ['filter', 'nat', 'route'].flatMap((type) =>
      hookNames.map((hook): Chain => ({ family, type, hook, priority: '0' })),
    ),
  );
  const taken = accepted(chains);
  chains.forEach(({ family, type, hook }, i) => {
    const legal = (chainTypes[family] as Record<string, readonly HookName[]>)[type]?.includes(hook) ?? false;
    assert.equal(legal, taken[i], `${family} ${type} ${hook}`);
  });
});

test('named priorities are read where nft reads them', requires('root', 'netns', 'nft'), () => {
  const names = [...new Set(priorities.map(({ name }) => name))];
  const chains = familyNames.flatMap((family) =>
    (Object.keys(hooks[family]) as HookName[]).flatMap((hook) =>
      names.map((priority): Chain => ({ family, type: 'filter', hook, priority })),
    ),
  );
  // nft reads these since 1.0.9.
  const younger = (name: string, hook: HookName): boolean =>
    (name === 'dstnat' && hook === 'output') || (name === 'srcnat' && hook === 'input');
  const taken = accepted(chains);
  chains.forEach(({ family, hook, priority }, i) => {
    let read = true;
    try {
      parsePriority(family, hook, priority);
    } catch {
      read = false;
    }
    if (read && !taken[i] && younger(priority, hook)) return;
    assert.equal(read, taken[i], `${family} ${hook} ${priority}`);
  });
});

test('priorities are listed as nft lists them', requires('root', 'netns', 'nft'), () => {
  const values = [
    -311, -310, -300, -289, -160, -145, -100, -90, -89, -11, -10, 0, 10, 11, 40, 50, 100, 110, 300,
  ];
  const places: [FamilyName, HookName][] = [
    ['ip', 'prerouting'],
    ['inet', 'postrouting'],
    ['ip6', 'output'],
    ['arp', 'input'],
    ['bridge', 'prerouting'],
    ['bridge', 'output'],
    ['bridge', 'postrouting'],
  ];
  const commands = places.flatMap(([family, hook]) => [
    `add table ${family} ${hook}`,
    ...values.map(
      (value, i) => `add chain ${family} ${hook} c${i} { type filter hook ${hook} priority ${value}; }`,
    ),
  ]);
  const lists = places.map(([family, hook]) => `list table ${family} ${hook}`);
  const { stdout, stderr } = spawnSync('unshare', ['--net', 'nft', '-f', '-'], {
    input: [...commands, ...lists, ''].join('\n'),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const listed = [...stdout.matchAll(/priority (.+?);/g)].map(([, text]) => text);
  const expected = places.flatMap(([family, hook]) =>
    values.map((value) => formatPriority(family, hook, value)),
  );
  assert.deepEqual(listed, expected);
});

test('a printed priority is read back as the same number', () => {
  for (const family of familyNames) {
    for (const hook of Object.keys(hooks[family]) as HookName[]) {
      for (let value = -400; value <= 400; value++) {
        assert.equal(parsePriority(family, hook, formatPriority(family, hook, value)), value);
      }
    }
  }
});

test('priorities that mean nothing are refused with what would be valid', () => {
  assert.throws(() => parsePriority('bridge', 'input', 'raw'), {
    message: 'unknown priority at the bridge hook input "raw": expected one of an integer, filter',
  });
  for (const text of ['', 'filter +', 'filter + x', '1.5', 'filter 10', '+']) {
    assert.throws(
      () => parsePriority('ip', 'input', text),
      /expected one of an integer, raw, mangle, filter/,
    );
  }
  assert.equal(parsePriority('ip', 'output', ' dstnat  - 5'), -105);
  assert.equal(parsePriority('bridge', 'prerouting', 'dstnat'), -300);
  assert.equal(parsePriority('netdev', 'ingress', '-7'), -7);
});

test('hooks by name and number', () => {
  assert.equal(findHook('inet', 'ingress'), 5);
  assert.equal(findHook('netdev', 'egress'), 1);
  assert.equal(findHook('arp', 'output'), 1);
  assert.equal(hookByNumber('bridge', 4), 'postrouting');
  assert.equal(hookByNumber('arp', 2), undefined);
  assert.throws(
    () => findHook('arp', 'forward'),
    /unknown arp hook "forward": expected one of input, output/,
  );
  assert.ok(hookHasDevices('netdev', 'egress') && hookHasDevices('inet', 'ingress'));
  assert.ok(!hookHasDevices('inet', 'input'));
});

test('a chain type that a family or hook cannot have is refused', () => {
  assert.throws(() => checkChainType('bridge', 'nat', 'prerouting'), {
    message: 'unknown bridge chain type "nat": expected one of filter',
  });
  assert.throws(() => checkChainType('ip', 'route', 'input'), {
    message: 'unknown hook of a ip chain of type route "input": expected one of output',
  });
  assert.doesNotThrow(() => checkChainType('inet', 'nat', 'input'));
});
