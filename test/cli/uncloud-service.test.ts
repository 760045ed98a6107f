import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatRuleset } from '../../src/index.ts';
import { withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { listenAsServiceManager } from '../support/service-manager.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const UNIT = readFileSync(join(ROOT, 'systemd/nftjs-uncloud.service'), 'utf8');
/** Nobody: a user with no rights but those that are given. */
const USER = 65534;
const CAP_NET_ADMIN = 1 << 12;

const vm = (n: number) =>
  JSON.stringify({
    nics: [{ ifname: `v${n}-0`, bridge: 'br0', mac: `02:00:00:00:00:0${n}`, ipv4: [`192.0.2.${n}/32`] }],
  });

suite('the unit of systemd', requires('systemd-analyze'), () => {
  test('is understood by systemd, and leaves little open', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-unit-'));
    try {
      const unit = join(home, 'nftjs-uncloud.service');
      // systemd looks for programs where packages install them.
      writeFileSync(unit, UNIT.replace(/^ExecStart=nftjs /m, `ExecStart=${process.execPath} nftjs `));
      const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
      assert.deepEqual([verified.status, verified.stderr], [0, '']);
      const { status, stdout } = spawnSync(
        'systemd-analyze',
        ['security', '--offline=true', '--threshold=20', '--no-pager', unit],
        { encoding: 'utf8' },
      );
      assert.equal(status, 0, stdout);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

suite('the agent as a service', requires('root', 'netns'), () => {
  test('works as a user who may change the network and nothing else, and tells systemd all of it', () =>
    withKernel(async ({ nft, netns }) => {
      const home = await mkdtemp(join(tmpdir(), 'nftjs-service-'));
      try {
        const at = (name: string) => join(home, name);
        await chmod(home, 0o755);
        for (const [directory, mode] of Object.entries({
          store: 0o755,
          state: 0o700,
          run: 0o755,
          tmp: 0o700,
        })) {
          await mkdir(at(directory), { mode });
          await chown(at(directory), USER, USER);
        }
        await mkdir(at('store/distributed-firewall/vm'), { recursive: true });
        await chown(at('store/distributed-firewall'), USER, USER);
        await writeFile(at('store/distributed-firewall/vm/one.json'), vm(1));
        await writeFile(at('host.json'), '{"bridges": {"br0": {"uplinks": ["up0"]}}, "sets": "named"}');
        await using manager = await listenAsServiceManager(at('notify'));

        // Wherever program and project are: the user finds them in places that everybody may enter.
        const places = `mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/node /mnt/project &&
          mount --bind '${dirname(process.execPath)}' /mnt/node && mount --bind '${ROOT}' /mnt/project &&
          cd /mnt/project && exec "$@"`;
        const user = [
          ...['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--no-new-privs'],
          ...[
            '--inh-caps=-all,+net_admin',
            '--ambient-caps=-all,+net_admin',
            '--bounding-set=-all,+net_admin',
          ],
          ...['--securebits=+noroot,+noroot_locked'],
        ];
        const agent = [
          ...['/mnt/node/node', '--import', 'tsx', 'src/cli/main.ts', 'uncloud', 'agent', '--name', 'here'],
          ...['--host', at('host.json'), '--store', `dir:${at('store')}`, '--state', at('state/last')],
          ...['--listen', at('run/agent.sock')],
        ];
        const child = spawn(
          'nsenter',
          [`--net=${netns}`, '--', 'unshare', '-m', 'sh', '-c', places, 'sh', ...user, ...agent],
          {
            stdio: ['ignore', 'ignore', 'pipe'],
            env: { ...process.env, NOTIFY_SOCKET: at('notify'), WATCHDOG_USEC: '3000000', TMPDIR: at('tmp') },
          },
        );
        const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
        let log = '';
        child.stderr.setEncoding('utf8').on('data', (part: string) => {
          log += part;
        });
        try {
          const { pid } = await Promise.race([
            manager.until(({ state }) => state.READY === '1'),
            ended.then((code) => assert.fail(`the agent ended with ${code}: ${log}`)),
          ]);
          assert.equal(pid, child.pid, 'it tells by itself: NotifyAccess=main');
          assert.match(formatRuleset(await nft.list()), /table bridge uncloud/, 'ready means guarded');
          await manager.until(({ state }) => state.STATUS?.startsWith('1 VMs at revision') === true);
          assert.match(formatRuleset(await nft.list()), /192\.0\.2\.1/);

          const status = await readFile(`/proc/${pid}/status`, 'utf8');
          const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
          assert.equal(field('Uid'), [USER, USER, USER, USER].join('\t'));
          for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
            assert.equal(Number.parseInt(field(set) ?? '', 16), CAP_NET_ADMIN, set);
          assert.equal(field('NoNewPrivs'), '1');

          await writeFile(at('store/distributed-firewall/vm/two.json'), vm(2));
          await manager.until(({ state }) => state.STATUS?.startsWith('2 VMs') === true);
          assert.match(formatRuleset(await nft.list()), /192\.0\.2\.2/);
          await nft.commit([{ flush: { ruleset: null } }]);
          for (const limit = Date.now() + 10_000; ; await pause(50)) {
            if (formatRuleset(await nft.list()).includes('192.0.2.2')) break;
            assert.ok(Date.now() < limit, log);
          }
          await manager.until(({ state }) => state.WATCHDOG === '1');
          assert.equal((await stat(at('run/agent.sock'))).mode & 0o777, 0o600);

          child.kill('SIGHUP');
          await manager.until(({ state }) => state.RELOADING === '1');
          child.kill('SIGTERM');
          await manager.until(({ state }) => state.STOPPING === '1');
          assert.equal(await ended, 0, log);
          assert.equal((await stat(at('state/last'))).uid, USER);
          for (const word of ['EPERM', 'EACCES', 'not told']) assert.ok(!log.includes(word), log);
        } finally {
          child.kill('SIGKILL');
          await ended;
        }
        assert.match(formatRuleset(await nft.list()), /192\.0\.2\.2/, 'the rules stay');
      } finally {
        await rm(home, { recursive: true });
      }
    }));
});
