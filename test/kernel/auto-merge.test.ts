import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Commands, Expression, RulesetElement } from '../../src/index.ts';
import { elementsOf, type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'ip', table: 't' } as const;
const ports = (...elem: readonly Expression[]): RulesetElement => ({
  set: { ...place, name: 's', type: 'inet_service', flags: ['interval'], 'auto-merge': true, elem },
});
const element = (...elem: readonly Expression[]) => ({ element: { ...place, name: 's', elem } });
const range = (low: number, high: number) => ({ range: [low, high] as const });
const table = { table: { family: 'ip', name: 't' } } as const;

/** What the set holds, as nft tells it. */
function held(kernel: Kernel): unknown {
  const [set] = elementsOf(kernel.json()).flatMap((one) => ('set' in one ? [one.set.elem ?? []] : []));
  return set;
}

/** Changes to a set of 10-20 and 30-40, and what it holds then. */
const changes: Readonly<Record<string, readonly [commands: readonly object[], then: unknown]>> = {
  'an interval that two others touch': [[{ add: element(range(21, 29)) }], [range(10, 40)]],
  'one that overlaps the end of another': [[{ add: element(range(15, 25)) }], [range(10, 25), range(30, 40)]],
  'one that covers another': [[{ add: element(range(5, 25)) }], [range(5, 25), range(30, 40)]],
  'one that is there already': [[{ add: element(12, range(30, 35)) }], [range(10, 20), range(30, 40)]],
  'one apart from all others': [[{ add: element(50) }], [range(10, 20), range(30, 40), 50]],
  'one after the other': [
    [{ add: element(range(21, 22)) }, { add: element(range(23, 24)) }],
    [range(10, 24), range(30, 40)],
  ],
  'up to the greatest': [[{ add: element(range(35, 65535)) }], [range(10, 20), range(30, 65535)]],
  'a set that is declared again': [[{ add: ports(range(41, 50)) }], [range(10, 20), range(30, 50)]],
  'a value out of the middle': [[{ delete: element(15) }], [range(10, 14), range(16, 20), range(30, 40)]],
  'the beginning of one, and another': [[{ delete: element(range(10, 12), range(30, 40)) }], [range(13, 20)]],
  'what was added before': [
    [{ add: element(range(21, 29)) }, { delete: element(25) }],
    [range(10, 24), range(26, 40)],
  ],
  'what was flushed before': [[{ flush: { set: { ...place, name: 's' } } }, { add: element(15) }], [15]],
  'a new set in the place of the old': [
    [{ delete: { table: table.table } }, { add: table }, { add: ports(15) }, { add: element(16) }],
    [range(15, 16)],
  ],
};

suite('sets that merge', requires('root', 'netns', 'nft'), () => {
  for (const [name, [commands, then]] of Object.entries(changes)) {
    for (const how of ['commit', 'commitSync'] as const) {
      test(`${how}: ${name}`, () =>
        withKernel(async (kernel) => {
          await kernel.nft.commit([{ add: table }, { add: ports(range(10, 20), range(30, 40)) }]);
          await kernel.nft[how](commands as Commands);
          assert.deepEqual(held(kernel), then);
        }));
    }
  }

  test('what is not there cannot be deleted', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit([{ add: table }, { add: ports(range(10, 20)) }]);
      await assert.rejects(kernel.nft.commit([{ delete: element(range(15, 25)) }]), { code: 'ENOENT' });
      assert.deepEqual(held(kernel), [range(10, 20)]);
    }));

  test('comments and timeouts of what is left stay', () =>
    withKernel(async (kernel) => {
      const said = { elem: { val: range(10, 20), comment: 'said' } };
      await kernel.nft.commit([{ add: table }, { add: ports(said) }]);
      await kernel.nft.commit([{ delete: element(15) }]);
      assert.deepEqual(held(kernel), [
        { elem: { val: range(10, 14), comment: 'said' } },
        { elem: { val: range(16, 20), comment: 'said' } },
      ]);
    }));
});
