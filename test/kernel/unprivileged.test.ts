import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, transaction } from '../../src/index.ts';
import { find } from '../support/kernel.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const index = new URL('../../src/index.ts', import.meta.url).href;
const place = { family: 'inet', table: 't' } as const;

/** Runs a module in a process of its own and returns what it printed as JSON. */
function run(prefix: readonly string[], body: string): Record<string, unknown> {
  const [command = '', ...args] = [...prefix, process.execPath, '--import', 'tsx', '--input-type=module'];
  const script = `import { connect, transaction } from '${index}';
    const told = (error) => ({ name: error.name, code: error.code, outcome: error.outcome, advice: error.advice });
    ${body}`;
  const { stdout, stderr, status } = spawnSync(command, [...args, '-e', script], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

suite('without privileges', requires('root', 'netns'), () => {
  test('in a user namespace of its own everything works, also what is larger than the socket may queue', () => {
    const told = run(
      ['unshare', '-rn'],
      `const nft = connect();
       const place = { family: 'inet', table: 't' };
       const elem = Array.from({ length: 3000 }, (_, i) => '10.0.' + (i >> 8) + '.' + (i & 255));
       await nft.commit(transaction().add(
         { table: { family: 'inet', name: 't' } }, { set: { ...place, name: 's', type: 'ipv4_addr', elem } }));
       const small = (await nft.list()).nftables.find((item) => 'set' in item).set.elem.length;
       const more = Array.from({ length: 60000 }, (_, i) => '11.' + (i >> 16) + '.' + ((i >> 8) & 255) + '.' + (i & 255));
       const large = await nft.commit(transaction().add({ element: { ...place, name: 's', elem: more } }))
         .then(() => 'committed', told);
       const after = (await nft.list()).nftables.find((item) => 'set' in item).set.elem.length;
       nft.close();
       console.log(JSON.stringify({ small, large, after }));`,
    );
    assert.equal(told.small, 3000);
    if (told.large === 'committed') assert.equal(told.after, 63_000);
    else {
      assert.equal((told.large as { code: string }).code, 'EMSGSIZE');
      assert.match((told.large as { advice: string }).advice, /wmem_max/);
      assert.equal(told.after, 3000);
    }
  });

  test('somebody without capabilities is refused, and told what is missing', () =>
    withNetns((netns) => {
      const told = run(
        [
          'nsenter',
          `--net=${netns}`,
          'setpriv',
          '--reuid=65534',
          '--regid=65534',
          '--clear-groups',
          '--inh-caps=-all',
        ],
        `const nft = connect();
         const commit = await nft.commit(transaction().add({ table: { family: 'ip', name: 't' } })).catch(told);
         const list = await nft.list().catch(told);
         const supports = await nft.supports('meta ibrname').catch(told);
         nft.close();
         console.log(JSON.stringify({ commit, list, supports }));`,
      );
      for (const error of [told.commit, told.list, told.supports] as { code: string; advice: string }[]) {
        assert.equal(error.code, 'EPERM', JSON.stringify(error));
        assert.match(error.advice, /CAP_NET_ADMIN/);
      }
      assert.equal((told.commit as { outcome: string }).outcome, 'refused');
    }));

  test("root works in somebody's user namespace too", () =>
    withNetns(
      async (netns) => {
        await using nft = connect({ netns });
        await nft.commit(
          transaction().add(
            { table: { family: 'inet', name: 't' } },
            { set: { ...place, name: 's', type: 'ipv4_addr', elem: ['192.0.2.1'] } },
          ),
        );
        assert.deepEqual(find(await nft.list(), 'set', 's').elem, ['192.0.2.1']);
      },
      { user: true },
    ));

  test('a namespace that is none is an error that names it', () => {
    assert.throws(() => connect({ netns: '/run/netns/none-of-that-name' }), {
      name: 'NetlinkSocketError',
      code: 'ENOENT',
      message: /none-of-that-name/,
    });
    assert.throws(() => connect({ netns: '/etc/passwd' }), {
      name: 'NetlinkSocketError',
      message: /\/etc\/passwd/,
    });
    assert.throws(() => connect({ netns: 2 ** 22 + 1 }), { name: 'NetlinkSocketError' });
  });
});
