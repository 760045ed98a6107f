import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatRuleset } from '../../src/index.ts';
import { nftjs } from '../support/cli.ts';
import { withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

async function withHome(work: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'nftjs-home-'));
  try {
    await mkdir(join(home, 'store'));
    await writeFile(join(home, 'host.json'), '{"bridges": {"br0": {"uplinks": ["up0"]}}, "sets": "named"}');
    await work(home);
  } finally {
    await rm(home, { recursive: true });
  }
}

/** Asks a server on a Unix socket. */
function ask(socketPath: string, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject).end();
  });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
  return child.exitCode;
}

const CSV = `vm,ifname,bridge,mac,addresses
a,va-0,br0,02:00:00:00:00:01,192.0.2.1
b,vb-0,br0,02:00:00:00:00:02,192.0.2.2 2001:db8:2::/64
`;

suite('nftjs uncloud agent', requires('root', 'netns'), () => {
  test('from a table to rules in force, a barrier, and away again', () =>
    withHome(async (home) => {
      const store = ['--store', `dir:${join(home, 'store')}`];
      const socket = join(home, 'agent.sock');
      await writeFile(join(home, 'vms.csv'), CSV);
      const first = await nftjs(['uncloud', 'import', 'csv', join(home, 'vms.csv'), ...store]);
      assert.deepEqual([first.code, first.err], [0, '']);
      assert.match(
        first.out,
        /put distributed-firewall\/vm\/a\nput distributed-firewall\/vm\/b\n0 unchanged/,
      );
      const second = await nftjs(['uncloud', 'import', 'csv', join(home, 'vms.csv'), ...store]);
      assert.equal(second.out, '2 unchanged\n');

      await withKernel(async ({ nft, netns }) => {
        const child = spawn(
          process.execPath,
          [
            ...[
              '--import',
              'tsx',
              MAIN,
              'uncloud',
              'agent',
              '--host',
              join(home, 'host.json'),
              '--name',
              'here',
            ],
            ...['--netns', netns, '--state', join(home, 'state'), '--listen', socket, ...store],
          ],
          { stdio: ['ignore', 'ignore', 'pipe'] },
        );
        let log = '';
        child.stderr.setEncoding('utf8').on('data', (part) => {
          log += part;
        });
        try {
          const wait = (vm: string) =>
            nftjs(['uncloud', 'wait', '--vm', vm, '--name', 'here', '--timeout', '20', ...store]);
          const waited = await wait('b');
          assert.equal(waited.code, 0, `${waited.err}${log}`);
          const inForce = formatRuleset(await nft.list());
          assert.ok(inForce.includes('192.0.2.1') && inForce.includes('2001:db8:2::'), inForce);

          await writeFile(join(home, 'store/distributed-firewall/vm/c.json'), '{"nics": 7}');
          const refused = await wait('c');
          assert.equal(refused.code, 1);
          assert.match(refused.err, /here leaves out distributed-firewall\/vm\/c\.nics: not a list/);
          await rm(join(home, 'store/distributed-firewall/vm/c.json'));

          const metrics = await ask(socket, 'GET', '/metrics');
          assert.match(metrics.body, /^# TYPE nftjs_uncloud_vms gauge\nnftjs_uncloud_vms 2$/m);
          assert.equal((await ask(socket, 'POST', '/resync')).status, 202);
          assert.equal((await ask(socket, 'GET', '/nothing')).status, 404);
          child.kill('SIGHUP');
          for (const limit = Date.now() + 10_000; !log.includes('reading everything again'); await pause(20))
            assert.ok(Date.now() < limit, log);
          for (const limit = Date.now() + 10_000; ; await pause(20)) {
            const health = await ask(socket, 'GET', '/health');
            if (health.status === 200 && JSON.parse(health.body).leftOut.length === 0) break;
            assert.ok(Date.now() < limit, health.body);
          }
          for (const line of log.trimEnd().split('\n')) assert.ok(JSON.parse(line).message, line);
          child.kill('SIGTERM');
          assert.equal(await ended(child), 0, log);
        } finally {
          child.kill('SIGKILL');
          await ended(child);
        }
        assert.ok(formatRuleset(await nft.list()).includes('192.0.2.1'), 'the rules stay');

        await nft.commit([{ add: { table: { family: 'inet', name: 'mine' } } }]);
        assert.equal((await nftjs(['uncloud', 'teardown', '--netns', netns])).code, 0);
        assert.equal(formatRuleset(await nft.list()), 'table inet mine {\n}\n');
      });
    }));
});

suite('the command line of stores', () => {
  test('says what is wrong with it', async () => {
    const cases: readonly [string[], number, RegExp][] = [
      [['import', 'csv'], 2, /an argument is missing/],
      [
        ['import', 'vmware', '/dev/null', '--store', 'dir:/nowhere'],
        2,
        /expected opennebula, libvirt, csv, json or proxmox/,
      ],
      [['import', 'csv', '/dev/null'], 1, /names of columns/],
      [['wait', '--vm', 'x', '--name', 'y', '--store', 'redis://z'], 1, /redis:\/\/z is no store/],
      [['wait', '--vm', 'x', '--name', 'y', '--store', 'etcd://h:1/path'], 1, /no HOST:PORT/],
      [['wait', '--vm', 'x'], 2, /--vm and --name/],
      [['agent', '--store', 'dir:/nowhere'], 2, /--host is needed/],
    ];
    for (const [args, code, message] of cases) {
      const run = await nftjs(['uncloud', ...args]);
      assert.equal(run.code, code, `${args}: ${run.err}`);
      assert.match(run.err, message);
    }
  });
});
