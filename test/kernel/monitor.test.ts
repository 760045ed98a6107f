import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  type Change,
  type Commit,
  connect,
  type Feed,
  type MonitorEvent,
  type Ruleset,
} from '../../src/index.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { comparableTo, Replica } from '../support/replica.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'netns', 'nft');
/** How many transactions; NFTJS_MONITORED=10000 is what a release is tried with. */
const COUNT = Number(process.env.NFTJS_MONITORED ?? 2000);

async function commit(events: Feed<MonitorEvent>): Promise<Commit> {
  const { value, done } = await events.next();
  assert.ok(!done && !value.overrun);
  return value;
}

/** What was changed, in words: `add chain c`. */
function words(changes: readonly Change[]): string[] {
  return changes.map(({ action, object }) => {
    const [[kind, node]] = Object.entries(object) as [[string, Record<string, unknown>]];
    return `${action} ${kind} ${node.name ?? node.handle}`;
  });
}

const text = `
  table inet t {
    counter hits { comment "x" }
    set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1 } }
    map m { type ipv4_addr : verdict; elements = { 1.1.1.1 : drop } }
    chain sub { udp dport 53 accept; return; }
    chain in { type filter hook input priority 0; policy drop; tcp dport { 22, 80 } accept comment "web"; ip saddr @s counter name hits; ip saddr vmap @m; jump sub; }
  }`;

test('commits of nft are told whole, and by whom', needs, () =>
  withKernel(async (kernel) => {
    using events = kernel.nft.monitor();
    kernel.load(text);
    const { changes, own, process, generation, partial } = await commit(events);
    assert.deepEqual([own, process?.name, partial], [false, 'nft', false]);
    assert.ok((process?.pid ?? 0) > 1);
    assert.equal(generation, await kernel.nft.generation());
    assert.deepEqual(
      words(changes).filter((word) => !word.includes(' rule ')),
      [
        'add table t',
        'add chain sub',
        'add chain in',
        'add counter hits',
        'add set s',
        'add element s',
        'add map m',
        'add element m',
      ],
    );
    const rules = changes.flatMap(({ object }) => ('rule' in object ? [object] : []));
    const listed = (await kernel.nft.list()).nftables.filter((item) => 'rule' in item);
    assert.deepEqual(rules, listed);
    const elements = changes.find(({ object }) => 'element' in object)?.object;
    assert.ok(elements !== undefined && 'element' in elements);
    assert.deepEqual(elements.element.elem, [{ prefix: { addr: '10.0.0.0', len: 8 } }, '192.0.2.1']);
  }),
);

test('commits without what they changed: who, when, and whether it was this part', needs, () =>
  withKernel(async ({ nft, load }) => {
    using all = nft.monitor({ changes: false });
    using part = nft.monitor({ table: 't', changes: false });
    using scarce = nft.monitor({ table: 't', changes: false, receiveBuffer: 1024 });
    load(text);
    load('table inet other { chain c { }; }');
    const chain = { family: 'inet', table: 't', name: 'mine' } as const;
    const { generation } = await nft.commit([{ add: { chain } }]);
    const told = async (events: Feed<MonitorEvent>, count: number) => {
      const found = [];
      for (let i = 0; i < count; i++) {
        const { changes, partial, own, process, generation } = await commit(events);
        assert.deepEqual([changes, partial], [[], false]);
        found.push([own, own || process?.name, generation]);
      }
      return found;
    };
    const [first, second, third] = [
      [false, 'nft', generation - 2],
      [false, 'nft', generation - 1],
      [true, true, generation],
    ];
    assert.deepEqual(await told(all, 3), [first, second, third]);
    assert.deepEqual(await told(part, 2), [first, third]);

    const { value } = await scarce.next();
    assert.deepEqual(value, { overrun: true, generation });
    await nft.commit([{ delete: { chain } }]);
    assert.deepEqual(await told(scarce, 1), [[true, true, generation + 1]]);
  }),
);

test('every kind of change, as nft makes it', needs, () =>
  withKernel(async (kernel) => {
    kernel.load(text);
    using events = kernel.nft.monitor();
    for (const [command, ...expected] of [
      ['add element inet t s { 11.0.0.1-11.0.0.5 }', 'add element s'],
      ['delete element inet t s { 11.0.0.1-11.0.0.5 }', 'delete element s'],
      ['flush set inet t s', 'delete element s'],
      ['rename chain inet t sub below', 'rename chain sub'],
      ['add chain inet t in { policy accept; }', 'add chain in'],
      ['insert rule inet t below accept', 'insert rule 14'],
      ['flush chain inet t below', 'delete rule 14', 'delete rule 6', 'delete rule 7'],
      ['flush chain inet t in', 'delete rule 9', 'delete rule 10', 'delete rule 11', 'delete rule 12'],
      ['delete map inet t m', 'delete map m'],
      ['delete counter inet t hits', 'delete counter hits'],
      ['delete table inet t', 'delete set s', 'delete chain below', 'delete chain in', 'delete table t'],
      ['add table netdev n { flags dormant; comment "kept"; }', 'add table n'],
    ] as const) {
      kernel.run('nft', [command]);
      const found = words((await commit(events)).changes);
      // Handles are numbered across all kinds of object.
      const plain = (word: string) => word.replace(/rule \d+/, 'rule');
      assert.deepEqual(found.map(plain), expected.map(plain), command);
    }
  }),
);

test("one's own commits are marked, another connection's and a tool's are not", needs, () =>
  withKernel(async ({ nft, netns, run }) => {
    using other = connect({ netns });
    using events = nft.monitor();
    await nft.commit([{ add: { table: { family: 'ip', name: 'a' } } }]);
    other.commitSync([{ add: { table: { family: 'ip', name: 'b' } } }]);
    nft.commitSync([{ add: { table: { family: 'ip', name: 'c' } } }]);
    run('nft', ['add table ip d']);
    const found: [boolean, string[]][] = [];
    for (let i = 0; i < 4; i++) {
      const { own, changes } = await commit(events);
      found.push([own, words(changes)]);
    }
    assert.deepEqual(found, [
      [true, ['add table a']],
      [false, ['add table b']],
      [true, ['add table c']],
      [false, ['add table d']],
    ]);
  }),
);

test('a monitor of one table hears of no other', needs, () =>
  withKernel(async ({ nft }) => {
    using events = nft.monitor({ family: 'inet', table: 'mine' });
    const table = (family: 'ip' | 'inet', name: string) => ({ add: { table: { family, name } } }) as const;
    await nft.commit([table('ip', 'mine'), table('inet', 'other')]);
    await nft.commit([table('inet', 'other'), table('inet', 'mine')]);
    const { changes } = await commit(events);
    assert.deepEqual(words(changes), ['add table mine']);
  }),
);

test('it ends by break, by a signal, by closing it or its connection', needs, () =>
  withKernel(async ({ nft, netns }) => {
    await nft.commit([{ add: { table: { family: 'ip', name: 't' } } }]);
    const flush: Ruleset = { nftables: [{ add: { table: { family: 'ip', name: 'more' } } }] };
    const events = nft.monitor();
    await nft.commit(flush);
    for await (const event of events) {
      assert.equal(event.overrun, false);
      break;
    }
    assert.deepEqual(await events.next(), { done: true, value: undefined });
    const gone = new AbortController();
    const aborted = nft.monitor({ signal: gone.signal }).next();
    setImmediate(() => gone.abort(new Error('enough')));
    await assert.rejects(aborted, /enough/);
    await assert.rejects(nft.monitor({ signal: AbortSignal.abort(new Error('late')) }).next(), /late/);
    const closed = nft.monitor();
    const waiting = closed.next();
    closed.close();
    closed.close();
    assert.equal((await waiting).done, true);
    const other = connect({ netns });
    const orphan = other.monitor();
    const last = orphan.next();
    setTimeout(() => other.close(), 20);
    assert.equal((await last).done, true);
  }),
);

test(
  'devices that come and go are told with those that stay',
  requires('root', 'netns', 'ip', 'bridge'),
  () =>
    withKernel(async ({ nft, run }) => {
      for (const name of ['d0', 'd1', 'd2']) run('ip', ['link', 'add', name, 'type', 'bridge']);
      const place = { family: 'netdev', table: 't', name: 'c' } as const;
      const hook = { ...place, type: 'filter', hook: 'ingress', prio: 0 } as const;
      await nft.commit([
        { add: { table: { family: 'netdev', name: 't' } } },
        { add: { chain: { ...hook, dev: ['d0', 'd1'] } } },
      ]);
      using events = nft.monitor();
      for (const [command, expected] of [
        [{ add: { chain: { ...hook, dev: 'd2' } } }, ['d0', 'd1', 'd2']],
        [{ delete: { chain: { ...hook, dev: ['d0', 'd1'] } } }, ['d2']],
        [{ add: { chain: { ...hook, policy: 'drop' } } }, ['d2']],
      ] as const) {
        await nft.commit([command]);
        const { changes } = await commit(events);
        assert.deepEqual(words(changes), ['add chain c']);
        const [told] = changes.flatMap(({ object }) => ('chain' in object ? [object.chain] : []));
        const [listed] = (await nft.list()).nftables.flatMap((item) => ('chain' in item ? [item.chain] : []));
        assert.deepEqual({ ...told, dev: [] }, { ...listed, dev: [] });
        for (const dev of [told?.dev, listed?.dev]) assert.deepEqual([dev].flat().sort(), expected);
      }
    }),
);

test('a rule is replaced where it stands', needs, () =>
  withKernel(async ({ nft }) => {
    const place = { family: 'ip', table: 't', chain: 'c' } as const;
    await nft.commit([
      { add: { table: { family: 'ip', name: 't' } } },
      { add: { chain: { family: 'ip', table: 't', name: 'c' } } },
    ]);
    const replica = new Replica();
    using events = nft.monitor();
    replica.load(await nft.snapshot());
    const three = [1, 2, 3].map((value) => ({
      add: { rule: { ...place, expr: [{ mangle: { key: { meta: { key: 'mark' } }, value } }] } },
    }));
    const { handles } = await nft.commit(three as never);
    for (const [i, handle] of [...handles.values()].entries()) {
      const rule = { ...place, handle: Number(handle), expr: [{ log: { prefix: `${i}` } }] } as const;
      await nft.commit([{ replace: { rule } }]);
    }
    await replica.follow(nft, events, await nft.generation());
    assert.deepEqual(replica.contents(), comparableTo(await nft.list()));
  }),
);

test('lost events are told, and a snapshot makes up for them', needs, () =>
  withKernel(async ({ nft, netns }) => {
    using writer = connect({ netns });
    const events = nft.monitor({ receiveBuffer: 4096 });
    const replica = new Replica();
    replica.load(await nft.snapshot());
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) {
        writer.commitSync([{ add: { table: { family: 'ip', name: `t${round}_${i}` } } }]);
      }
      await replica.follow(nft, events, await nft.generation());
      assert.equal(replica.overruns, round + 1);
      writer.commitSync([{ add: { chain: { family: 'ip', table: 't0_0', name: `c${round}` } } }]);
      await replica.follow(nft, events, await nft.generation());
      assert.equal(replica.overruns, round + 1);
      assert.deepEqual(replica.contents(), comparableTo(await nft.list()));
    }
    events.close();
  }),
);

test('a large commit comes in parts, intervals whole', needs, () =>
  withKernel(async ({ nft }) => {
    const place = { family: 'inet', table: 't' } as const;
    using events = nft.monitor({ receiveBuffer: 256 << 20 });
    const elem = Array.from({ length: 30_000 }, (_, i) => ({
      range: [`10.${i >> 8}.${i & 255}.1`, `10.${i >> 8}.${i & 255}.9`] as [string, string],
    }));
    await nft.commit([{ add: { table: { family: 'inet', name: 't' } } }]);
    await nft.commit([
      { add: { set: { ...place, name: 's', type: 'ipv4_addr', flags: ['interval'], elem } } },
      { add: { chain: { ...place, name: 'c' } } },
    ]);
    const found: unknown[] = [];
    let parts = 0;
    const first = await commit(events);
    for (let last = first; last.changes.length === 0 || last.partial || last === first; parts++) {
      last = await commit(events);
      assert.equal(last.generation, first.generation + 1);
      assert.equal(last.own, true);
      for (const { object } of last.changes)
        if ('element' in object) found.push(...(object.element.elem as unknown[]));
    }
    assert.ok(parts > 2, `${parts} parts`);
    assert.deepEqual(found, elem);
    await nft.commit([{ flush: { set: { ...place, name: 's' } } }]);
    const gone: unknown[] = [];
    for (let last: Commit | undefined; last?.partial !== false; ) {
      last = await commit(events);
      for (const { action, object } of last.changes) {
        assert.equal(action, 'delete');
        if ('element' in object) gone.push(...(object.element.elem as unknown[]));
      }
    }
    assert.deepEqual(
      new Set(gone.map((range) => JSON.stringify(range))),
      new Set(elem.map((range) => JSON.stringify(range))),
    );
  }),
);

test(`a picture kept over ${COUNT} transactions of nft and nftjs is the kernel's own`, needs, () =>
  withKernel(async (kernel) => {
    const { nft, netns } = kernel;
    const events = nft.monitor({ receiveBuffer: 64 << 20 });
    const replica = new Replica();
    replica.load(await nft.snapshot());
    using writer = connect({ netns });
    const half = COUNT / 2;
    // Some of nft's find nothing to do: a chain to flush that is empty.
    let done = false;
    const writing = Promise.all([writeByNft(kernel, half * 1.1), writeByNftjs(writer, half)]).finally(
      () => (done = true),
    );
    while (!done) await replica.follow(nft, events, await nft.generation());
    await writing;
    await replica.follow(nft, events, await nft.generation());
    events.close();
    assert.equal(replica.overruns, 0);
    assert.ok(replica.generation >= COUNT, `${replica.generation} commits`);
    assert.deepEqual(replica.contents(), comparableTo(await nft.list()));
  }),
);

/** Numbers that look like chance and are the same in every run. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const base = (name: string) =>
  `add table inet ${name}; add set inet ${name} s { type ipv4_addr; }; add set inet ${name} r { type ipv4_addr; flags interval; }; add map inet ${name} m { type inet_service : verdict; }; add chain inet ${name} c; add chain inet ${name} d`;

/** Commands of which every one succeeds, one after the other. */
async function writeByNft({ netns }: Kernel, count: number): Promise<void> {
  const random = chance(1);
  const lines = [base('a')];
  let chains = 0;
  while (lines.length < count) {
    const n = random(200);
    const some = [
      `add element inet a s { 10.0.0.${n} }`,
      `add element inet a s { 10.0.0.${n} }; delete element inet a s { 10.0.0.${n} }`,
      `add element inet a r { 10.${n}.0.0/16 }`,
      `add element inet a r { 10.${n}.0.0/16, 11.0.${n}.1-11.0.${n}.9 }; delete element inet a r { 10.${n}.0.0/16 }`,
      `add element inet a m { ${n} : drop }`,
      `add rule inet a c tcp dport { ${n}, ${n + 300} } accept comment "n${n}"`,
      `insert rule inet a c ip saddr @s drop; insert rule inet a c ip daddr 192.0.2.${n} drop`,
      `add rule inet a d accept; add rule inet a d drop; insert rule inet a d tcp dport ${n} return`,
      `add chain inet a x${++chains}; add rule inet a x${chains} jump d\nrename chain inet a x${chains} y${chains}`,
      `add counter inet a n${n}; add quota inet a q${n} { over ${n} mbytes }`,
      n < 20 ? 'flush chain inet a c' : `add rule inet a c udp dport ${n}`,
      n < 4
        ? `delete table inet a; ${base('a')}`
        : `add rule inet a d ip saddr { 10.0.0.0/8, 192.0.2.${n} } continue`,
    ];
    lines.push(some[random(some.length)] as string);
  }
  const child = spawn('nsenter', [`--net=${netns}`, '--', 'nft', '-i'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (data) => errors.push(String(data)));
  child.stdin.end(`${lines.join('\n')}\n`);
  await once(child, 'close');
  assert.deepEqual(errors, []);
}

async function writeByNftjs(nft: ReturnType<typeof connect>, count: number): Promise<void> {
  const random = chance(2);
  const place = { family: 'ip', table: 'b' } as const;
  await nft.commit([
    { add: { table: { family: 'ip', name: 'b' } } },
    { add: { set: { ...place, name: 's', type: 'ipv4_addr' } } },
    { add: { chain: { ...place, name: 'c' } } },
  ]);
  const rules: number[] = [];
  for (let i = 1; i < count; i++) {
    const n = random(250);
    const element = { element: { ...place, name: 's', elem: [`10.0.0.${n}`] } };
    const expr = [
      {
        match: {
          left: { payload: { protocol: 'tcp', field: 'dport' } },
          op: '==',
          right: { set: [n, n + 300] },
        },
      },
      { accept: null },
    ] as const;
    const kind = random(6);
    if (kind === 0) await nft.commit([{ add: element }]);
    else if (kind === 1) await nft.commit([{ add: element }, { delete: element }]);
    else if (kind === 2 && rules.length > 3) {
      const [handle] = rules.splice(random(rules.length), 1);
      await nft.commit([{ delete: { rule: { ...place, chain: 'c', handle: handle as number } } }]);
    } else if (kind === 5 && rules.length > 0) {
      const handle = rules[n % 3 === 0 ? 0 : random(rules.length)] as number;
      await nft.commit([{ replace: { rule: { ...place, chain: 'c', handle, expr } } }]);
    } else {
      const after = rules[random(rules.length)];
      const where = after === undefined || kind === 3 ? {} : { handle: after };
      const rule = { rule: { ...place, chain: 'c', ...where, expr } };
      const { handles } = await nft.commit([n % 2 === 0 ? { add: rule } : { insert: rule }]);
      rules.push(Number(handles.get(0)));
    }
  }
}
