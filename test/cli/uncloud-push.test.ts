import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, formatRuleset } from '../../src/index.ts';
import { nftjs } from '../support/cli.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { requires } from '../support/requirements.ts';
import { sshServer } from '../support/sshd.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** The program as it is called from anywhere. */
const NFTJS = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN];

const HOST = { bridges: { br0: { uplinks: ['up0'] } }, sets: 'named' };
const nic = (n: number) => ({
  ifname: `v${n}-0`,
  bridge: 'br0',
  mac: `02:00:00:00:00:0${n}`,
  ipv4: [`192.0.2.${n}/32`],
});
const policyOf = (...vms: number[]) => ({
  vms: Object.fromEntries(vms.map((n) => [`vm${n}`, { nics: [nic(n)] }])),
});

/**
 * Stands in for ssh: a host is a network namespace, whose path is in the file of its name; some hosts are ill. It
 * writes down its pid for each.
 */
const STAND_IN = `#!/bin/sh
home=$(dirname "$0")
while [ "$1" != -- ]; do
  case $1 in -l) echo "$2" >"$home/user";; esac
  shift
done
host=$2 command=$3
echo $$ >>"$home/pids"
case $host in
  hanging) trap '' TERM; while :; do sleep 0.2; done;;
  refusing) cat >/dev/null & echo 'ssh: connect to host refusing port 22: Connection refused' >&2; exit 255;;
  without) echo 'sh: 1: nftjs: not found' >&2; exit 127;;
  babbling) head -c 300000 /dev/zero | tr '\\0' x; echo; printf '\\033[31mred\\n' >&2; exit 9;;
  torn) head -c 200 | nsenter --net="$(cat "$home/namespaces/healthy")" -- sh -c "$command"; exit;;
esac
exec nsenter --net="$(cat "$home/namespaces/$host")" -- sh -c "$command"
`;

interface Site {
  readonly home: string;
  readonly file: (name: string, content: unknown) => string;
  readonly namespace: (host: string) => Namespace;
  /** Pushes with the stand-in, as the command line does. */
  readonly push: (...args: string[]) => ReturnType<typeof nftjs>;
  readonly plan: (policy: object, out: string, ...args: string[]) => ReturnType<typeof nftjs>;
  readonly isAnyAlive: () => boolean;
  readonly rulesOf: (host: string) => Promise<string>;
}

async function withSite(hosts: object, healthy: readonly string[], work: (site: Site) => Promise<void>) {
  const namespaces = new Map(healthy.map((host) => [host, new Namespace()]));
  const home = await mkdtemp(join(tmpdir(), 'nftjs-site-'));
  const file = (name: string, content: unknown) => {
    const path = join(home, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const pids = () =>
    existsSync(join(home, 'pids')) ? readFileSync(join(home, 'pids'), 'utf8').trim().split('\n') : [];
  try {
    mkdirSync(join(home, 'namespaces'));
    for (const [host, { path }] of namespaces) file(`namespaces/${host}`, path);
    chmodSync(file('ssh', STAND_IN), 0o755);
    file('host.json', HOST);
    file('hosts.json', hosts);
    const list = ['--hosts', join(home, 'hosts.json')];
    await work({
      home,
      file,
      namespace: (host) => namespaces.get(host) as Namespace,
      push: (...args) => nftjs(['uncloud', 'push', ...list, '--ssh', join(home, 'ssh'), ...args]),
      plan: (policy, out, ...args) =>
        nftjs([
          ...['uncloud', 'plan', ...list, '--host', join(home, 'host.json'), '--out', join(home, out)],
          ...['--policy', file('policy.json', policy), ...args],
        ]),
      isAnyAlive: () =>
        pids().some((pid) => {
          try {
            return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
          } catch {
            return false;
          }
        }),
      rulesOf: async (host) => {
        await using nft = connect({ netns: (namespaces.get(host) as Namespace).path });
        return formatRuleset(await nft.list());
      },
    });
  } finally {
    for (const namespace of namespaces.values()) namespace.close();
    await rm(home, { recursive: true });
  }
}

/** What the final table says of each host. */
function resultsOf(out: string): Record<string, string> {
  const rows = out.trimEnd().split('\n').slice(1, -1);
  return Object.fromEntries(rows.map((row) => row.split(/\s{2,}/).slice(0, 2) as [string, string]));
}

suite('nftjs uncloud plan', () => {
  test('prints the same bytes for the same files, with what changes and both hashes', () =>
    withSite({ n1: {}, n2: {} }, [], async ({ home, plan }) => {
      const first = await plan(policyOf(1, 2), 'a.json');
      assert.deepEqual([first.code, first.err], [0, '']);
      assert.deepEqual((await plan(policyOf(2, 1), 'b.json')).out, first.out);
      assert.equal(readFileSync(join(home, 'b.json'), 'utf8'), readFileSync(join(home, 'a.json'), 'utf8'));
      assert.match(
        first.out,
        /^plan [0-9a-f]{64}\nn1: 3 changes\n {4}from none\n {4}to {3}[0-9a-f]{64}\n {4}\+ host\n {4}\+ vm\/vm1\n {4}\+ vm\/vm2\nn2: the changes of n1\n/,
      );
      const next = await plan(policyOf(1), 'c.json', '--previous', join(home, 'a.json'), '--json');
      const { hosts } = JSON.parse(next.out);
      const { to } = JSON.parse(readFileSync(join(home, 'a.json'), 'utf8')).hosts.n1;
      assert.deepEqual(hosts.n1.from, to);
      assert.deepEqual(hosts.n1.changes, [{ action: 'delete', key: 'vm/vm2', paths: [] }]);
      assert.deepEqual(readdirSync(home).sort(), [
        ...['a.json', 'b.json', 'c.json', 'host.json', 'hosts.json', 'namespaces', 'policy.json', 'ssh'],
      ]);
    }));

  test('says what is refused, and by whom', () =>
    withSite({ n1: {}, n2: {} }, [], async ({ plan }) => {
      const { code, err } = await plan({ vms: { bad: { nics: 7 }, vm1: { nics: [nic(1)] } } }, 'plan.json');
      assert.equal(code, 1);
      assert.equal(err, 'uncloud: refused distributed-firewall/vm/bad.nics: not a list (n1, n2)\n');
    }));

  test('needs to know what each host is', () =>
    withSite({ n1: {} }, [], async ({ home, file }) => {
      const args = ['--hosts', join(home, 'hosts.json'), '--policy', file('p.json', policyOf(1))];
      const { code, err } = await nftjs(['uncloud', 'plan', ...args]);
      assert.equal(code, 2);
      assert.match(err, /host n1 is not described/);
    }));
});

suite('nftjs uncloud push', requires('root', 'netns'), () => {
  const reached = { command: NFTJS };

  test('brings all hosts to the plan, refuses those that are elsewhere, and leaves the ill ones alone', () =>
    withSite(
      {
        n1: { ...reached, address: 'healthy' },
        n2: { ...reached, address: 'different', user: 'firewall' },
        n3: { ...reached, address: 'hanging' },
        n4: { ...reached, address: 'refusing' },
        n5: { ...reached, address: 'without' },
        n6: { ...reached, address: 'babbling' },
      },
      ['healthy', 'different'],
      async ({ home, plan, push, rulesOf, isAnyAlive, namespace }) => {
        await plan(policyOf(1), 'one.json');
        await using nft = connect({ netns: namespace('different').path });
        const elsewhere = join(home, 'elsewhere.json');
        writeFileSync(elsewhere, JSON.stringify(policyOf(9)));
        const args = [
          '--host',
          join(home, 'host.json'),
          '--policy',
          elsewhere,
          '--netns',
          namespace('different').path,
        ];
        assert.equal((await nftjs(['uncloud', 'apply', '--expect', 'none', ...args])).code, 0);
        const generation = await nft.generation();

        const asked = await push('--dry-run', '--timeout', '120', '--only', 'n1', join(home, 'one.json'));
        assert.deepEqual([asked.code, resultsOf(asked.out)], [0, { n1: 'planned' }], asked.err);
        assert.equal(await rulesOf('healthy'), '');

        const { code, out, err } = await push('--timeout', '40', join(home, 'one.json'));
        assert.equal(code, 1);
        assert.deepEqual(
          resultsOf(out),
          { n1: 'applied', n2: 'refused', n3: 'unknown', n4: 'unknown', n5: 'failed', n6: 'failed' },
          out + err,
        );
        assert.match(out, /^n2 .*[0-9a-f]{12} .*is in force, expected none: nothing was changed$/m);
        assert.match(out, /^n3 .*no answer within 40 seconds$/m);
        assert.match(out, /^n4 .*Connection refused$/m);
        assert.match(out, /^n5 .*nftjs: not found$/m);
        assert.match(out, /\n1 applied, 1 refused, 2 unknown, 2 failed\n$/);
        assert.ok(!out.includes('\u001b') && !err.includes('\u001b'));
        assert.equal(readFileSync(join(home, 'user'), 'utf8'), 'firewall\n');
        assert.match(await rulesOf('healthy'), /192\.0\.2\.1/);
        assert.equal(await nft.generation(), generation, 'nothing was sent where it is refused');
        assert.equal(isAnyAlive(), false);

        const again = await push('--only', 'n1', join(home, 'one.json'));
        assert.deepEqual([again.code, resultsOf(again.out)], [0, { n1: 'unchanged' }]);
        await plan(policyOf(1, 2), 'two.json', '--previous', join(home, 'one.json'));
        const second = await push('--only', 'n1', join(home, 'two.json'));
        assert.deepEqual(resultsOf(second.out), { n1: 'applied' }, second.out);
        assert.match(second.out, / \d+ commands$/m);
        const stale = await push('--only', 'n1', join(home, 'one.json'));
        assert.deepEqual(
          resultsOf(stale.out),
          { n1: 'refused' },
          'the plan before does not undo the one after',
        );

        assert.equal((await nftjs(['uncloud', 'teardown', '--netns', namespace('healthy').path])).code, 0);
        await plan(policyOf(2), 'three.json', '--previous', join(home, 'two.json'));
        const restarted = await push('--only', 'n1', join(home, 'three.json'));
        assert.deepEqual(resultsOf(restarted.out), { n1: 'refused' });
        const anyway = await push('--only', 'n1', '--or-none', join(home, 'three.json'));
        assert.deepEqual([anyway.code, resultsOf(anyway.out)], [0, { n1: 'applied' }]);
        assert.deepEqual(
          readdirSync(home).filter((name) => !/^(\w+\.json|namespaces|pids|ssh|user)$/.test(name)),
          [],
        );
      },
    ));

  test('nothing is done where what was sent is cut off', () =>
    withSite({ n1: { ...reached, address: 'torn' } }, ['healthy'], async ({ home, plan, push, rulesOf }) => {
      await plan(policyOf(1), 'plan.json');
      const { code, out } = await push(join(home, 'plan.json'));
      assert.deepEqual([code, resultsOf(out)], [1, { n1: 'failed' }], out);
      assert.equal(await rulesOf('healthy'), '');
    }));

  test('what a shell would run is a name like any other', () =>
    withSite(
      { n1: { ...reached, address: 'healthy', netns: `/nowhere/$(touch pwned)'; touch pwned #` } },
      ['healthy'],
      async ({ home, plan, push }) => {
        await plan(policyOf(1), 'plan.json');
        const { out } = await push(join(home, 'plan.json'));
        assert.deepEqual(resultsOf(out), { n1: 'failed' });
        assert.match(out, /\$\(touch pwned\)/);
        for (const place of [home, process.cwd()]) assert.ok(!existsSync(join(place, 'pwned')));
      },
    ));

  test('SIGINT ends it at once, with a table, and nobody stays behind', () =>
    withSite(
      {
        n1: { ...reached, address: 'hanging' },
        n2: { ...reached, address: 'hanging' },
        n3: { ...reached, address: 'hanging' },
      },
      [],
      async ({ home, plan, isAnyAlive }) => {
        await plan(policyOf(1), 'plan.json');
        const [program = '', ...args] = NFTJS;
        const child = spawn(
          program,
          [
            ...[...args, 'uncloud', 'push', '--hosts', join(home, 'hosts.json'), '--ssh', join(home, 'ssh')],
            ...['--concurrency', '2', join(home, 'plan.json')],
          ],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let out = '';
        child.stdout.setEncoding('utf8').on('data', (part: string) => {
          out += part;
        });
        const exited = new Promise((resolve) => child.once('close', resolve));
        const started = () =>
          existsSync(join(home, 'pids')) && readFileSync(join(home, 'pids'), 'utf8').split('\n').length === 3;
        for (const limit = Date.now() + 20_000; !started(); await pause(50)) assert.ok(Date.now() < limit);
        child.kill('SIGINT');
        assert.equal(await exited, 1);
        assert.deepEqual(resultsOf(out), { n1: 'unknown', n2: 'unknown', n3: 'not asked' }, out);
        assert.equal(isAnyAlive(), false);
      },
    ));

  test('through a real sshd', requires('sshd'), () =>
    withSite(
      { n1: { ...reached, address: '127.0.0.1', port: 2022, user: 'root' } },
      ['healthy'],
      async ({ home, file, plan, namespace, rulesOf }) => {
        namespace('healthy').run('ip', ['link', 'set', 'lo', 'up']);
        for (const key of ['host', 'user']) {
          const { status, stderr } = spawnSync('ssh-keygen', [
            '-q',
            '-t',
            'ed25519',
            '-N',
            '',
            '-f',
            join(home, key),
          ]);
          assert.equal(status, 0, String(stderr));
        }
        const config = file(
          'sshd_config',
          `ListenAddress 127.0.0.1:2022
HostKey ${home}/host
AuthorizedKeysFile ${home}/user.pub
PermitRootLogin yes
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
`,
        );
        file('known_hosts', `[127.0.0.1]:2022 ${readFileSync(join(home, 'host.pub'), 'utf8')}`);
        // sshd wants an empty directory in /run, and a user to become: they are there for it alone.
        const users = file(
          'passwd',
          readFileSync('/etc/passwd', 'utf8').concat('sshd:x:65533:65534::/:/bin/false\n'),
        );
        const script = `mount --bind '${users}' /etc/passwd && mount -t tmpfs none /run && mkdir /run/sshd &&
          exec '${sshServer()}' -D -e -f '${config}'`;
        const inside = [`--net=${namespace('healthy').path}`, '--'];
        const server = spawn('nsenter', [...inside, 'unshare', '-m', 'sh', '-c', script], {
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const ended = new Promise((resolve) => server.once('close', resolve));
        let log = '';
        server.stderr.setEncoding('utf8').on('data', (part: string) => {
          log += part;
        });
        try {
          for (const limit = Date.now() + 10_000; !log.includes('Server listening'); await pause(20))
            assert.ok(Date.now() < limit && server.exitCode === null, log);
          await plan(policyOf(1), 'plan.json');
          // ssh has to be where the server is.
          chmodSync(
            file('inside', `#!/bin/sh\nexec nsenter --net=${namespace('healthy').path} -- ssh "$@"\n`),
            0o755,
          );
          const push = (...args: string[]) =>
            nftjs([
              ...['uncloud', 'push', '--hosts', join(home, 'hosts.json'), '--ssh', join(home, 'inside')],
              ...[
                `IdentityFile=${home}/user`,
                `UserKnownHostsFile=${home}/known_hosts`,
                'IdentitiesOnly=yes',
              ].flatMap((option) => ['--ssh-option', option]),
              ...args,
              join(home, 'plan.json'),
            ]);
          const { code, out } = await push();
          assert.deepEqual([code, resultsOf(out)], [0, { n1: 'applied' }], out + log);
          assert.match(await rulesOf('healthy'), /192\.0\.2\.1/);
          assert.deepEqual(resultsOf((await push()).out), { n1: 'unchanged' });
          const elsewhere = await push('--ssh-option', 'Port=1');
          assert.deepEqual(resultsOf(elsewhere.out), { n1: 'unknown' }, 'what comes first counts');
          file('known_hosts', '');
          const strange = await push();
          assert.deepEqual(resultsOf(strange.out), { n1: 'unknown' });
          assert.match(strange.out, /Host key verification failed/);
        } finally {
          server.kill('SIGTERM');
          await ended;
        }
      },
    ),
  );
});

test('on a terminal there is one line that is drawn over', () =>
  withSite({ n1: { address: 'without' }, n2: { address: 'without' } }, [], async ({ home, plan }) => {
    await plan(policyOf(1), 'plan.json');
    const args = ['uncloud', 'push', '--hosts', join(home, 'hosts.json'), '--ssh', join(home, 'ssh')];
    const line = [...NFTJS, ...args, join(home, 'plan.json')].map((word) => `'${word}'`).join(' ');
    // script runs it on a terminal of its own; its standard output goes elsewhere.
    const { stdout } = spawnSync('script', ['-qec', `stty cols 60; ${line} >'${home}/table'`, '/dev/null'], {
      encoding: 'utf8',
      input: '',
    });
    assert.match(stdout, /\r.\[K0\/2, 0 s; waiting for n1, n2/);
    assert.match(stdout, /n1: failed: sh: 1: nftjs: not found\r\n/);
    assert.ok(stdout.endsWith('\r\x1b[K'), JSON.stringify(stdout.slice(-80)));
    assert.deepEqual(resultsOf(readFileSync(join(home, 'table'), 'utf8')), { n1: 'failed', n2: 'failed' });
  }));
