import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Instruction, KernelElement, KnownSet } from '../../src/bytecode/index.ts';
import { delinearizeRule } from '../../src/delinearize/index.ts';
import { type Connection, type Ruleset, reconcile, transaction } from '../../src/index.ts';
import { ElementReader, elementList, MESSAGE, rule } from '../../src/message/index.ts';
import { Known } from '../../src/netlink/known.ts';
import { readMessages } from '../../src/netlink/message.ts';
import { query } from '../../src/netlink/query.ts';
import { decodeOpen } from '../../src/wire/schema.ts';
import { elementsOf, rulesOf, withKernel } from '../support/kernel.ts';
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

/** What of it has words after all. */
const listed: Readonly<Record<string, readonly object[]>> = {
  'a register written twice': [
    ...(strange['a register written twice'] ?? []).slice(0, 1),
    { match: { op: '==', left: { meta: { key: 'priority' } }, right: '0:1' } },
  ],
};

/** A listing in which every instruction stands as its bytes. */
async function withoutWords(nft: Connection): Promise<Ruleset> {
  const { nftables } = await nft.list();
  const answer = await nft.socket.dump({ type: MESSAGE.GETRULE, family: 0 });
  const read = await Known.read(nft.socket, {}, {});
  const [message] = [...readMessages(answer.messages)];
  const { value } = decodeOpen(rule, message?.attributes ?? new Uint8Array());
  const sets = new Map<string, KnownSet>();
  for (const [name, known] of read.sets('ip', 't')) {
    const question = query(MESSAGE.GETSETELEM, 2, elementList, { table: 't', set: name });
    const elements: KernelElement[] = [];
    for (const reader = new ElementReader((await nft.socket.dump(question)).messages); reader.next(); )
      elements.push(reader.element());
    sets.set(name, { ...known, elements });
  }
  const expr = delinearizeRule((value.expressions ?? []) as Instruction[], {
    family: 'ip',
    set: (name) => sets.get(name),
    faithful: () => false,
  });
  return {
    nftables: nftables.map((one) => ('rule' in one ? { rule: { ...one.rule, expr } } : one)),
  } as Ruleset;
}

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
        assert.deepEqual(second, listed[name] ?? expr);
        await withKernel(async (copy) => {
          await copy.nft.commit(listing);
          assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(listing));
          const dump = ({ run }: typeof copy) =>
            sortedText(run('nft', ['--debug=netlink', 'list', 'ruleset']));
          assert.deepEqual(dump(copy), dump(kernel));
        });
      }));
  }

  /** Rules that name anonymous sets, behind a load in vain so that nothing of them has words. */
  const own: Readonly<Record<string, { readonly rule: string; readonly kind: string }>> = {
    'a set': { rule: 'meta mark { 1, 2, 7 } accept', kind: 'set' },
    'a set of ranges': { rule: 'tcp dport { 22, 80-90, 8000-65535 } accept', kind: 'set' },
    'a set of concatenations': {
      rule: 'ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 } accept',
      kind: 'set',
    },
    'a set of concatenated ranges': {
      rule: 'ip saddr . tcp dport { 10.0.0.0/8 . 22, 10.1.1.1 . 80-90 } accept',
      kind: 'set',
    },
    'a map': { rule: 'meta mark set ip saddr map { 10.0.0.1 : 1, 10.0.0.2 : 2 }', kind: 'map' },
    'a verdict map': { rule: 'tcp dport vmap { 22 : accept, 80 : jump other, 90-99 : drop }', kind: 'map' },
  };
  for (const [name, { rule, kind }] of Object.entries(own)) {
    test(`${name} of a rule without words goes with it, into another namespace and when it is reconciled`, () =>
      withKernel(async (kernel) => {
        kernel.load(`table ip t {\n chain other { }\n chain c { ${rule}; }\n}`);
        const words = await kernel.nft.list();
        const opaque = elementsOf(await withoutWords(kernel.nft));
        const [expr] = opaque.flatMap((one) => ('rule' in one ? [one.rule.expr] : []));
        const sets = ((expr ?? []) as readonly { opaque?: { set?: object } }[]).flatMap(
          (one) => one.opaque?.set ?? [],
        );
        assert.equal(sets.length, 1, JSON.stringify(expr));
        assert.equal('map' in (sets[0] ?? {}) ? 'map' : 'set', kind);
        await withKernel(async (copy) => {
          await copy.nft.commit({ nftables: opaque });
          assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(words));
          assert.deepEqual(sortedText(copy.text()), sortedText(kernel.text()));
          const { changed } = await reconcile(copy.nft, { nftables: opaque });
          assert.equal(changed, false);
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
