import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { transaction } from '../../src/index.ts';
import { rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { sortedText, withoutHandles } from './comparable.ts';

const place = { family: 'ip', table: 't', chain: 'c' } as const;
const base = transaction().add(
  { table: { family: 'ip', name: 't' } },
  { chain: { family: 'ip', table: 't', name: 'c' } },
);

/** Bytecode that no rule in nft's syntax comes to. */
const strange: Readonly<Record<string, readonly object[]>> = {
  // immediate: a value in a register that nothing reads
  'a value for nothing': [
    { opaque: { name: 'immediate', data: '08000100000000010c00028008000100deadbeef' } },
  ],
  // meta mark loaded twice, the first in vain
  'a register written twice': [
    { opaque: { name: 'meta', data: '08000100000000010800020000000003' } },
    { opaque: { name: 'meta', data: '08000100000000010800020000000002' } },
    { opaque: { name: 'cmp', data: '080001000000000108000200000000000c0003800800010001000000' } },
  ],
};

suite('bytecode that has no words', requires('root', 'netns', 'nft'), () => {
  for (const [name, expr] of Object.entries(strange)) {
    test(`${name} comes back as it went, among rules that have`, () =>
      withKernel(async (kernel) => {
        const plain = [{ counter: { packets: 1, bytes: 60 } }, { accept: null }];
        await kernel.nft.commit(
          base.add(
            { rule: { ...place, expr: plain as never } },
            { rule: { ...place, expr: expr as never, comment: 'strange' } },
            { rule: { ...place, expr: [{ drop: null }] } },
          ),
        );
        const listing = await kernel.nft.list();
        const [first, second, third] = rulesOf(listing, 'c');
        assert.deepEqual([first, third], [plain, [{ drop: null }]]);
        assert.deepEqual(second, expr);
        await withKernel(async (copy) => {
          await copy.nft.commit(listing);
          assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(listing));
          const dump = ({ run }: typeof copy) =>
            sortedText(run('nft', ['--debug=netlink', 'list', 'ruleset']));
          assert.deepEqual(dump(copy), dump(kernel));
        });
      }));
  }

  test('a set with a key of a type that nobody knows does not break a listing, and goes back', () =>
    withKernel(async (kernel) => {
      kernel.load(
        'table ip t {\n set s { typeof ct id; elements = { 1, 2 }; }\n set known { type ipv4_addr; elements = { 192.0.2.1 }; }\n}',
      );
      const listing = await kernel.nft.list();
      const names = listing.nftables.flatMap((item) => ('set' in item ? [item.set.name] : []));
      assert.deepEqual(names.sort(), ['known', 's']);
      await withKernel(async (copy) => {
        await copy.nft.commit(listing);
        assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(listing));
      });
    }));
});
