import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Connection, type RulesetElement, transaction } from '../../src/index.ts';
import { elementsOf, find, type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { type RequirementName, requires } from '../support/requirements.ts';
import { withoutHandles } from './comparable.ts';

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const chain = { chain: { ...place, name: 'c' } } as const;
const set = { set: { ...place, name: 's', type: 'ipv4_addr' } } as const;
const map = { map: { ...place, name: 'm', type: 'ipv4_addr', map: 'mark' } } as const;
const accept = { accept: null } as const;

/** An object of each kind, what it needs to be there, and what its listing says of it. */
interface Kind {
  readonly needs: readonly RulesetElement[];
  readonly object: RulesetElement;
  /** What it is listed as, where that says more. */
  readonly listed?: object;
  readonly kernel?: RequirementName;
}

const kinds: Readonly<Record<string, Kind>> = {
  table: { needs: [], object: table },
  chain: { needs: [table], object: chain },
  'base chain': {
    needs: [table],
    object: { chain: { ...place, name: 'b', type: 'filter', hook: 'input', prio: 5, policy: 'drop' } },
  },
  set: { needs: [table], object: set },
  map: { needs: [table], object: map },
  counter: {
    needs: [table],
    object: { counter: { ...place, name: 'o', packets: 3, bytes: 300 } },
  },
  quota: {
    needs: [table],
    object: { quota: { ...place, name: 'o', bytes: 1000, used: 5, inv: true } },
  },
  limit: {
    needs: [table],
    object: { limit: { ...place, name: 'o', rate: 10, per: 'second', burst: 20 } },
  },
  synproxy: {
    needs: [table],
    object: { synproxy: { ...place, name: 'o', mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] } },
    kernel: 'conntrack',
  },
  'ct helper': {
    needs: [table],
    object: { 'ct helper': { ...place, name: 'o', type: 'ftp', protocol: 'tcp', l3proto: 'ip' } },
    kernel: 'conntrack',
  },
  'ct timeout': {
    needs: [table],
    object: {
      'ct timeout': { ...place, name: 'o', protocol: 'tcp', l3proto: 'ip', policy: { established: 60 } },
    },
    kernel: 'conntrack',
  },
  'ct expectation': {
    needs: [table],
    object: {
      'ct expectation': {
        ...place,
        name: 'o',
        l3proto: 'ip',
        protocol: 'tcp',
        dport: 5432,
        timeout: 5000,
        size: 3,
      },
    },
    kernel: 'conntrack',
  },
  flowtable: {
    needs: [table],
    object: { flowtable: { ...place, name: 'f', hook: 'ingress', prio: 0 } },
    kernel: 'flowtable',
  },
};

async function listed(nft: Connection): Promise<unknown[]> {
  return withoutHandles(await nft.list());
}

suite('verbs', requires('root', 'netns'), () => {
  for (const [name, { needs, object, kernel }] of Object.entries(kinds)) {
    suite(name, kernel === undefined ? {} : requires(kernel), () => {
      const made = transaction().add(...needs);
      const with_ = (work: (kernel: Kernel) => Promise<void>) =>
        withKernel(async (kernel) => {
          if (needs.length > 0) await kernel.nft.commit(made);
          await work(kernel);
        });

      test('add makes it, and once only', () =>
        with_(async ({ nft }) => {
          await nft.commit(transaction().add(object));
          const once = await listed(nft);
          assert.deepEqual(once, withoutHandles({ nftables: [...needs, object] }));
          await nft.commit(transaction().add(object));
          assert.deepEqual(await listed(nft), once);
        }));

      test('create refuses a second one', () =>
        with_(async ({ nft }) => {
          await nft.commit(transaction().create(object));
          const once = await listed(nft);
          assert.equal(once.length, needs.length + 1);
          await assert.rejects(nft.commit(transaction().create(object)), {
            name: 'TransactionError',
            code: 'EEXIST',
            operation: 0,
            path: `nftables[0].create.${Object.keys(object)[0]}`,
          });
          assert.deepEqual(await listed(nft), once);
        }));

      test('delete refuses where there is none', () =>
        with_(async ({ nft }) => {
          await nft.commit(transaction().add(object));
          await nft.commit(transaction().delete(object));
          assert.equal((await listed(nft)).length, needs.length);
          await assert.rejects(nft.commit(transaction().delete(object)), {
            code: 'ENOENT',
            operation: 0,
            path: `nftables[0].delete.${Object.keys(object)[0]}`,
          });
        }));

      test('delete takes its handle', () =>
        with_(async ({ nft }) => {
          const { handles } = await nft.commit(transaction().add(object));
          const [[kind, node]] = Object.entries(object) as [[string, object]];
          const handle = Number(handles.get(0));
          assert.ok(handle > 0);
          const { name: _name, ...owner } = node as { name: string };
          await nft.commit([{ delete: { [kind]: { ...owner, handle } } } as never]);
          assert.equal((await listed(nft)).length, needs.length);
        }));

      test('destroy is content where there is none', () =>
        with_(async ({ nft }) => {
          await nft.commit(transaction().add(object));
          await nft.commit(transaction().destroy(object));
          assert.equal((await listed(nft)).length, needs.length);
          await nft.commit(transaction().destroy(object));
        }));

      test('made, deleted and made again in one transaction', () =>
        with_(async ({ nft }) => {
          await nft.commit(transaction().add(object).delete(object).add(object));
          assert.equal((await listed(nft)).length, needs.length + 1);
        }));
    });
  }

  suite('element', () => {
    const of = (...elem: (string | readonly [string, number])[]) => ({
      element: { ...place, name: 's', elem: elem as readonly string[] },
    });
    const with_ = (work: (kernel: Kernel) => Promise<void>) =>
      withKernel(async (kernel) => {
        await kernel.nft.commit(transaction().add(table, set));
        await work(kernel);
      });
    const held = async (nft: Connection) => {
      const { elem = [] } = find(await nft.list(), 'set', 's');
      return [...(elem as string[])].sort();
    };

    test('add is content with one that is there', () =>
      with_(async ({ nft }) => {
        await nft.commit(transaction().add(of('192.0.2.1', '192.0.2.2')));
        await nft.commit(transaction().add(of('192.0.2.2', '192.0.2.3')));
        assert.deepEqual(await held(nft), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
      }));

    test('create refuses one that is there, and names it', () =>
      with_(async ({ nft }) => {
        await nft.commit(transaction().create(of('192.0.2.1')));
        await assert.rejects(nft.commit(transaction().create(of('192.0.2.2', '192.0.2.1', '192.0.2.3'))), {
          code: 'EEXIST',
          path: 'nftables[0].create.element.elem[1]',
        });
        assert.deepEqual(await held(nft), ['192.0.2.1']);
      }));

    test('delete refuses one that is not there, and names it', () =>
      with_(async ({ nft }) => {
        await nft.commit(transaction().add(of('192.0.2.1', '192.0.2.2')));
        await assert.rejects(nft.commit(transaction().delete(of('192.0.2.1', '192.0.2.9'))), {
          code: 'ENOENT',
          path: 'nftables[0].delete.element.elem[1]',
        });
        assert.deepEqual(await held(nft), ['192.0.2.1', '192.0.2.2']);
        await nft.commit(transaction().delete(of('192.0.2.2')));
        assert.deepEqual(await held(nft), ['192.0.2.1']);
      }));

    test('destroy takes away those that are there', () =>
      with_(async ({ nft }) => {
        await nft.commit(transaction().add(of('192.0.2.1', '192.0.2.2')));
        await nft.commit(transaction().destroy(of('192.0.2.9', '192.0.2.1')));
        assert.deepEqual(await held(nft), ['192.0.2.2']);
      }));

    test('one that another value has already is refused in a map', () =>
      withKernel(async ({ nft }) => {
        const pair = (value: number) => ({ element: { ...place, name: 'm', elem: [['192.0.2.1', value]] } });
        await nft.commit(transaction().add(table, map, pair(1) as never));
        await nft.commit(transaction().add(pair(1) as never));
        await assert.rejects(nft.commit(transaction().add(pair(2) as never)), { code: 'EEXIST' });
        assert.deepEqual(find(await nft.list(), 'map', 'm').elem, [['192.0.2.1', 1]]);
      }));
  });

  suite('flush', () => {
    const rule = { rule: { ...place, chain: 'c', expr: [accept] } };
    const other = { rule: { ...place, chain: 'd', expr: [accept] } };
    const all = transaction().add(
      table,
      chain,
      { chain: { ...place, name: 'd' } },
      { set: { ...set.set, elem: ['192.0.2.1'] } },
      { map: { ...map.map, elem: [['192.0.2.1', 1]] } },
      rule,
      other,
    );
    const after = (flush: object, work: (kernel: Kernel) => Promise<void>) =>
      withKernel(async (kernel) => {
        await kernel.nft.commit(all);
        await kernel.nft.commit([{ flush } as never]);
        await work(kernel);
      });

    test('a chain loses its rules', () =>
      after({ chain: { ...place, name: 'c' } }, async ({ nft }) => {
        const ruleset = await nft.list();
        assert.deepEqual([rulesOf(ruleset, 'c'), rulesOf(ruleset, 'd')], [[], [[accept]]]);
        find(ruleset, 'chain', 'c');
      }));

    test('a table loses the rules of all its chains', () =>
      after(table, async ({ nft }) => {
        const ruleset = await nft.list();
        assert.deepEqual([rulesOf(ruleset, 'c'), rulesOf(ruleset, 'd')], [[], []]);
        assert.deepEqual(find(ruleset, 'set', 's').elem, ['192.0.2.1']);
      }));

    test('a set loses its elements', () =>
      after({ set: { ...place, name: 's' } }, async ({ nft }) => {
        const ruleset = await nft.list();
        assert.equal(find(ruleset, 'set', 's').elem, undefined);
        assert.deepEqual(find(ruleset, 'map', 'm').elem, [['192.0.2.1', 1]]);
      }));

    test('a map loses its elements', () =>
      after({ map: { ...place, name: 'm' } }, async ({ nft }) => {
        assert.equal(find(await nft.list(), 'map', 'm').elem, undefined);
      }));

    test('the ruleset loses everything', () =>
      after({ ruleset: null }, async ({ nft }) => {
        assert.deepEqual(elementsOf(await nft.list()), []);
      }));

    test('the ruleset of a family leaves the others', () =>
      withKernel(async ({ nft }) => {
        await nft.commit(
          transaction().add({ table: { family: 'ip', name: 'a' } }, { table: { family: 'ip6', name: 'b' } }),
        );
        await nft.commit([{ flush: { ruleset: { family: 'ip' } } }]);
        assert.deepEqual(withoutHandles(await nft.list()), [{ table: { family: 'ip6', name: 'b' } }]);
      }));

    test('what is not there cannot be emptied', () =>
      withKernel(async ({ nft }) => {
        await assert.rejects(nft.commit([{ flush: table }]), { code: 'ENOENT', operation: 0 });
      }));
  });

  suite('rename', () => {
    test('a chain keeps its rules, and those that jump to it', () =>
      withKernel(async ({ nft }) => {
        const jump = { rule: { ...place, chain: 'd', expr: [{ jump: { target: 'c' } }] } };
        await nft.commit(
          transaction().add(table, chain, { chain: { ...place, name: 'd' } }, jump, {
            rule: { ...place, chain: 'c', expr: [accept] },
          }),
        );
        await nft.commit([{ rename: { chain: { ...place, name: 'c', newname: 'new' } } }]);
        const ruleset = await nft.list();
        assert.deepEqual(rulesOf(ruleset, 'new'), [[accept]]);
        assert.deepEqual(rulesOf(ruleset, 'd'), [[{ jump: { target: 'new' } }]]);
      }));

    test('not to a name that is taken, and not what is not there', () =>
      withKernel(async ({ nft }) => {
        await nft.commit(transaction().add(table, chain, { chain: { ...place, name: 'd' } }));
        await assert.rejects(
          nft.commit([{ rename: { chain: { ...place, name: 'c', newname: 'd' } } }]),
          (error: { code?: string; path?: string }) =>
            error.code === 'EEXIST' && error.path === '[0].rename.chain',
        );
        await assert.rejects(nft.commit([{ rename: { chain: { ...place, name: 'x', newname: 'y' } } }]));
        find(await nft.list(), 'chain', 'c');
      }));
  });

  suite('reset', () => {
    const counter = { counter: { ...place, name: 'n', packets: 3, bytes: 300 } };
    const quota = { quota: { ...place, name: 'q', bytes: 1000, used: 5, inv: true } };

    test('an object tells what it was, and starts again', () =>
      withKernel(async ({ nft }) => {
        await nft.commit(transaction().add(table, counter, quota));
        const { reset } = await nft.commit(transaction().reset(counter, quota));
        assert.deepEqual(
          [0, 1].map((index) => withoutHandles({ nftables: reset.get(index) ?? [] })),
          [[counter], [quota]],
        );
        const ruleset = await nft.list();
        assert.equal(find(ruleset, 'counter', 'n').packets, 0);
        assert.equal(find(ruleset, 'quota', 'q').used, 0);
      }));

    test('all counters of a table', () =>
      withKernel(async ({ nft }) => {
        await nft.commit(transaction().add(table, counter, quota));
        await nft.commit([{ reset: { counters: { ...place } } }]);
        const ruleset = await nft.list();
        assert.equal(find(ruleset, 'counter', 'n').packets, 0);
        assert.equal(find(ruleset, 'quota', 'q').used, 5);
      }));

    test('a rule', requires('reset-rules'), () =>
      withKernel(async ({ nft }) => {
        const expr = [{ counter: { packets: 7, bytes: 700 } }];
        const { handles } = await nft.commit(
          transaction().add(table, chain, { rule: { ...place, chain: 'c', expr } }),
        );
        const handle = Number(handles.get(2));
        const { reset } = await nft.commit([{ reset: { rule: { ...place, chain: 'c', handle } } }]);
        assert.deepEqual(rulesOf({ nftables: reset.get(0) ?? [] }, 'c'), [expr]);
        assert.deepEqual(rulesOf(await nft.list(), 'c'), [[{ counter: { packets: 0, bytes: 0 } }]]);
      }),
    );

    test('not by commitSync, and then nothing is sent', () =>
      withKernel(async ({ nft }) => {
        assert.throws(() => nft.commitSync(transaction().add(table).reset(counter)), {
          name: 'CompileError',
          path: 'nftables[1].reset.counter',
        });
        assert.deepEqual(elementsOf(await nft.list()), []);
      }));
  });

  test('an unknown verb, kind or shape is refused before anything is sent', () =>
    withKernel(async ({ nft }) => {
      const bad: [unknown, RegExp][] = [
        [{ append: table }, /nftables\[1\]/],
        [{ add: { tabel: {} } }, /nftables\[1\]\.add/],
        [{ add: {} }, /nftables\[1\]\.add/],
        [{ add: { table: {}, chain: {} } }, /nftables\[1\]\.add/],
        [{ add: { table: { family: 'ipv4', name: 'x' } } }, /family/],
        [{ add: { table: { family: 'ip' } } }, /name/],
        [{ insert: table }, /nftables\[1\]\.insert/],
        [{ rename: table }, /nftables\[1\]\.rename/],
        [{ replace: { rule: { ...place, chain: 'c', expr: [accept] } } }, /handle/],
        [{ delete: { rule: { ...place, chain: 'c' } } }, /handle/],
        [null, /nftables\[1\]/],
        [7, /nftables\[1\]/],
      ];
      for (const [command, pattern] of bad) {
        await assert.rejects(
          nft.commit({ nftables: [{ add: table }, command as never] }),
          ({ name, message }: Error) => name === 'CompileError' && pattern.test(message),
          JSON.stringify(command),
        );
      }
      assert.deepEqual(elementsOf(await nft.list()), []);
    }));
});
