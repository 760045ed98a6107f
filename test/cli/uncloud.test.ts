import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { parse } from '../../src/index.ts';
import { nftjs, withFiles } from '../support/cli.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../examples/policies/${name}.json`, import.meta.url), 'utf8'));
const host = read('host');
const policy = read('policy');

/** The hash that a command printed. */
function hashOf(text: string): string {
  const [, hash] = /hash ([0-9a-f]{64})/.exec(text) ?? [];
  assert.ok(hash, text);
  return hash;
}

/** The files of a host and a policy, as options. */
function withPolicy<T>(described: object, work: (options: string[]) => Promise<T>): Promise<T> {
  return withFiles((write) =>
    work(['--host', write('host.json', host), '--policy', write('policy.json', described)]),
  );
}

test('render prints nft syntax with a hash, the same again and however the input is ordered', async () => {
  const { out } = await withPolicy(policy, (options) => nftjs(['uncloud', 'render', ...options]));
  const hash = hashOf(out);
  assert.match(out, /^# hash [0-9a-f]{64}\nadd table bridge uncloud\ndelete table bridge uncloud\n/);
  assert.match(out, /^table bridge uncloud \{\n/m);
  const vms = Object.fromEntries(Object.entries(policy.vms).reverse());
  const again = await withPolicy({ ...policy, vms }, (options) => nftjs(['uncloud', 'render', ...options]));
  assert.deepEqual([again.code, again.out], [0, out]);
  const json = await withPolicy(policy, (options) => nftjs(['uncloud', 'render', '--json', ...options]));
  const [{ metainfo }] = parse(json.out).nftables as unknown as [{ metainfo: { hash: string } }];
  assert.equal(metainfo.hash, hash);
  const fewer = Object.fromEntries(Object.entries(policy.vms).slice(1));
  const other = await withPolicy({ ...policy, vms: fewer }, (options) =>
    nftjs(['uncloud', 'render', ...options]),
  );
  assert.notEqual(hashOf(other.out), hash);
});

test('a host that is wrong is exit code 1, with its place', () =>
  withFiles(async (write) => {
    const bad = write('host.json', { bridges: { br100: { uplinks: 'vxlan100' } } });
    const files = ['--host', bad, '--policy', write('policy.json', policy)];
    const { code, out, err } = await nftjs(['uncloud', 'render', ...files]);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /uplinks/);
  }));

suite('uncloud', requires('root', 'netns'), () => {
  test('render, apply and check print one hash, and check tells what is in force', () =>
    withPolicy(policy, (options) =>
      withKernel(async ({ nft, netns }) => {
        const uncloud = (action: string) => nftjs(['uncloud', action, '--netns', netns, ...options]);
        const hash = hashOf((await nftjs(['uncloud', 'render', ...options])).out);
        const before = await uncloud('check');
        assert.equal(before.code, 0, before.err);
        assert.match(before.out, /valid; apply would send \d+ commands:\nadd table bridge uncloud /);
        assert.deepEqual(elementsOf(await nft.list()), []);
        const applied = await uncloud('apply');
        assert.equal(applied.code, 0, applied.err);
        const after = await uncloud('check');
        assert.match(after.out, /valid, and in force already/);
        for (const { out } of [before, applied, after, await uncloud('render')])
          assert.equal(hashOf(out), hash);
        const first = await nftjs(['list', '--netns', netns]);
        assert.equal((await uncloud('apply')).code, 0);
        assert.equal((await nftjs(['list', '--netns', netns])).out.length, first.out.length);
      }),
    ));

  test('nft loads what render prints, over what was there', requires('nft'), () =>
    withPolicy(policy, (options) =>
      withKernel(async ({ nft, netns, load }) => {
        const { out } = await nftjs(['uncloud', 'render', '--netns', netns, ...options]);
        load(out);
        const once = (await nft.list({ terse: true })).nftables.length;
        load(out);
        assert.equal((await nft.list({ terse: true })).nftables.length, once);
        await nftjs(['uncloud', 'apply', '--netns', netns, ...options]);
        assert.equal((await nft.list({ terse: true })).nftables.length, once);
      }),
    ),
  );

  test('touches no table of others', () =>
    withPolicy(policy, (options) =>
      withKernel(async ({ nft, netns }) => {
        const foreign = { family: 'bridge', name: 'filter' } as const;
        await nft.commit([
          { add: { table: foreign } },
          { add: { counter: { family: 'bridge', table: 'filter', name: 'n', packets: 5, bytes: 6 } } },
        ]);
        const before = await nft.list({ family: 'bridge', table: 'filter' });
        for (let i = 0; i < 2; i++) await nftjs(['uncloud', 'apply', '--netns', netns, ...options]);
        assert.deepEqual(await nft.list({ family: 'bridge', table: 'filter' }), before);
      }),
    ));

  test('a refused VM is exit code 1, and the others are applied', () => {
    const [[id, vm], ...others] = Object.entries(policy.vms) as [
      string,
      { nics: { mac: string }[] },
    ][] as never as [[string, { nics: object[] }], ...[string, { nics: { ifname: string }[] }][]];
    const broken = { nics: [{ ...vm.nics[0], mac: '01:00:00:00:00:01' }] };
    const described = { ...policy, vms: { ...Object.fromEntries(others), [id]: broken } };
    return withPolicy(described, (options) =>
      withKernel(async ({ netns }) => {
        const { code, out, err } = await nftjs(['uncloud', 'apply', '--netns', netns, ...options]);
        assert.equal(code, 1);
        hashOf(out);
        assert.match(err, new RegExp(`refused .*${id}.*mac`));
        assert.match(err, /nothing passes on /);
        const listed = (await nftjs(['list', '--netns', netns])).out;
        for (const [, other] of others)
          for (const { ifname } of other.nics) assert.ok(listed.includes(ifname));
        assert.doesNotMatch(listed, /01:00:00:00:00:01/);
      }),
    );
  });

  test('a group that this kernel enforces less finely is said loudly', () => {
    const [[id, vm]] = Object.entries(policy.vms) as [[string, { nics: object[] }]];
    const described = {
      groups: { web: { rules: [{ direction: 'in', action: 'accept', protocol: 'tcp', ports: ['80'] }] } },
      vms: { ...policy.vms, [id]: { nics: [{ ...vm.nics[0], groups: ['web'] }] } },
    };
    return withPolicy(described, async (options) => {
      const { err, out } = await nftjs(['uncloud', 'render', ...options]);
      assert.match(err, /NOT ENFORCED .*group\/web: stateless/);
      hashOf(out);
    });
  });

  test('a VM that is refused keeps its record of the policy before', () => {
    const [[id, vm]] = Object.entries(policy.vms) as [[string, { nics: { mac: string }[] }]];
    const broken = { ...policy, vms: { ...policy.vms, [id]: { nics: 'none' } } };
    return withFiles((write) =>
      withKernel(async ({ netns }) => {
        const files = ['--host', write('h.json', host), '--policy', write('p.json', broken)];
        const previous = ['--previous', write('before.json', policy)];
        const { code, err } = await nftjs(['uncloud', 'apply', '--netns', netns, ...files, ...previous]);
        assert.equal(code, 1);
        assert.match(err, new RegExp(`${id} keeps its record`));
        const listed = (await nftjs(['list', '--netns', netns])).out;
        assert.ok(listed.includes(vm.nics[0]?.mac ?? 'none'));
      }),
    );
  });

  test('--faithful applies the rules of the article', () =>
    withPolicy(policy, (options) =>
      withKernel(async ({ netns }) => {
        const faithful = ['--faithful', '--netns', netns, ...options];
        assert.equal((await nftjs(['uncloud', 'apply', ...faithful])).code, 0);
        const { out } = await nftjs(['list', '--netns', netns]);
        assert.match(out, /chain br100_vmlist \{/);
        assert.doesNotMatch(out, /vm_arp/);
        assert.match((await nftjs(['uncloud', 'check', ...faithful])).out, /in force already/);
      }),
    ));
});
