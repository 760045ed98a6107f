import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatRuleset } from '../../src/index.ts';
import { nftjs } from '../support/cli.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const NFTJS = `nftjs() { ${process.execPath} --import ${at('node_modules/tsx/dist/loader.mjs')} ${at('src/cli/main.ts')} "$@"; }`;

async function withHome(work: (home: string, kernel: Kernel) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'nftjs-home-'));
  try {
    await withKernel(async (kernel) => {
      for (const command of [
        'link set lo up',
        'link add br0 type bridge',
        'link set br0 up',
        'link add va-0 type veth peer name guest',
        'link set va-0 master br0 up',
        'route add blackhole 203.0.113.0/24 proto static',
      ])
        kernel.run('ip', command.split(' '));
      await work(home, kernel);
    });
  } finally {
    await rm(home, { recursive: true });
  }
}

const page = () => readFile(at('docs/distributed.md'), 'utf8');

/** What the page's section on routes has in fences of a language. */
async function fences(language: string): Promise<string[]> {
  const part = (await page()).split(/^## /m).find((each) => each.startsWith('Routes\n')) ?? assert.fail();
  return [...part.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body = '']) =>
    name === language ? [body] : [],
  );
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/ linkdown/, '')
        .replace(/ +/g, ' '),
    );

suite('routes from the command line', requires('root', 'netns', 'ip'), () => {
  test('as the page on many hosts has it', () =>
    withHome(async (home, { run, nft }) => {
      const host = /^cat > host.json <<'END'\n[\s\S]*?^END$/m.exec(await page())?.[0] ?? assert.fail();
      const [commands = '', teardown = ''] = await fences('sh');
      const [shown = ''] = await fences('');
      const shell = (script: string) => run('sh', ['-ec', `cd ${home}\n${NFTJS}\n${script}`]);
      const said = lines(shell(`${host}\n${commands}`));
      assert.match(said[0] ?? '', /^hash [0-9a-f]{64}$/);
      assert.deepEqual(said.slice(1), lines(shown));
      assert.equal(shell(teardown), '');
      assert.equal(run('ip', ['route', 'show']), 'blackhole 203.0.113.0/24 proto static \n');
      assert.equal(run('ip', ['-6', 'route', 'show', 'proto', '117']), '');
      assert.equal(formatRuleset(await nft.list()), '');
    }));

  test('says what is in the way, and what it cannot mean', () =>
    withHome(async (home, { run, netns }) => {
      const [host, policy] = [join(home, 'host.json'), join(home, 'policy.json')];
      await writeFile(host, '{"bridges": {"br0": {}}}');
      const nic = { ifname: 'va-0', bridge: 'br0', mac: '02:00:00:00:00:01' };
      const nics = [{ ...nic, ipv4: ['192.0.2.1/32', '203.0.113.0/24'] }];
      await writeFile(policy, JSON.stringify({ vms: { a: { nics } } }));
      const apply = (...options: string[]) =>
        nftjs(['uncloud', 'apply', '--host', host, '--policy', policy, '--netns', netns, ...options]);
      const inTheWay = await apply('--routes');
      assert.equal(inTheWay.code, 1);
      assert.equal(
        inTheWay.err,
        'uncloud: distributed-firewall/vm/a.nics[0].ipv4: 203.0.113.0/24 is not routed via 192.0.2.1: a blackhole route of protocol static is there, and left alone\n',
      );
      const aside = await apply('--routes', '--route-table', '1000');
      assert.deepEqual([aside.code, aside.err], [0, '']);
      assert.match(
        run('ip', ['route', 'show', 'table', '1000']),
        /^203\.0\.113\.0\/24 via 192\.0\.2\.1 dev br0 proto 117 /,
      );
      for (const [options, message] of [
        [['--blackhole'], /--route-table and --blackhole need --routes/],
        [['--routes', '--route-table', '255'], /number of a table other than 255, not 255/],
        [['--routes', '--route-table', 'main'], /number of a table other than 255, not main/],
      ] as const) {
        const wrong = await apply(...options);
        assert.equal(wrong.code, 2);
        assert.match(wrong.err, message);
      }
      const checked = await nftjs(['uncloud', 'check', '--host', host, '--policy', policy, '--routes']);
      assert.match(checked.err, /--routes is for apply/);
    }));
});
