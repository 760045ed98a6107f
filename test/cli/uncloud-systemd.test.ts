import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Connection, connect, formatRuleset } from '../../src/index.ts';
import { type Bundle, bundle } from '../simulation/program.ts';
import { requires } from '../support/requirements.ts';
import { PLACES, Systemd } from '../support/systemd.ts';
import { until } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'nftjs-uncloud';
/** The unit's own store, unless it is told another one: a directory, in the one that is the agent's. */
const DIRECTORY = 'dir:/var/lib/nftjs/store';
const STORE = '/var/lib/private/nftjs/store/distributed-firewall';
const CAP_NET_ADMIN = 1 << 12;

const vm = (n: number) =>
  JSON.stringify({
    nics: [{ ifname: `v${n}-0`, bridge: 'br0', mac: `02:00:00:00:00:0${n}`, ipv4: [`192.0.2.${n}/32`] }],
  });

suite('the unit, run by systemd', requires('root', 'systemd'), () => {
  let program: Bundle;
  let systemd: Systemd;
  let nft: Connection;

  before(async () => {
    program = await bundle();
    chmodSync(dirname(program.main), 0o755);
    systemd = await Systemd.boot(ROOT);
    nft = connect({ netns: systemd.netns });
    const main = join(PLACES.project, relative(ROOT, program.main));
    const node = join(PLACES.node, 'node');
    systemd.write('/usr/local/bin/nftjs', `#!/bin/sh\nexec ${node} ${main} "$@"\n`, 0o755);
    const unit = readFileSync(join(ROOT, `systemd/${NAME}.service`), 'utf8');
    systemd.write(`/etc/systemd/system/${NAME}.service`, unit);
    systemd.write('/etc/nftjs/host.json', '{"bridges": {"br0": {"uplinks": ["up0"]}}, "sets": "named"}');
    systemd.write('/etc/nftjs/uncloud.env', 'NFTJS_OPTIONS=--name here\n');
    settle({ StandardError: 'append:/run/agent.log' });
  });
  after(async () => {
    await nft?.[Symbol.asyncDispose]();
    await systemd?.[Symbol.asyncDispose]();
    program?.[Symbol.dispose]();
  });

  /** What a drop-in says beside the unit; each time it is all of it. */
  function settle(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    systemd.write(`/etc/systemd/system/${NAME}.service.d/test.conf`, `[Service]\n${lines.join('')}`);
    systemd.run('systemctl', 'daemon-reload');
  }

  const unit = (property: string) => systemd.property(NAME, property);
  const rules = async () => formatRuleset(await nft.list());
  const log = () => systemd.read('/run/agent.log');

  test('is not ready as long as no rule is in force', async () => {
    const settings = { StandardError: 'append:/run/refused.log' };
    settle({ ...settings, AmbientCapabilities: '', RestartSec: '60' });
    assert.notEqual(systemd.try('systemctl', 'start', NAME).status, 0);
    assert.notEqual(unit('ActiveState'), 'active');
    assert.match(systemd.read('/run/refused.log'), /EPERM/);
    assert.doesNotMatch(await rules(), /uncloud/);
    systemd.run('systemctl', 'stop', NAME);
    settle({ StandardError: 'append:/run/agent.log' });
  });

  test('is ready once they are: closed ports, without a store', async () => {
    systemd.run('systemctl', 'start', NAME);
    // No word of this depends on what happens from here on.
    assert.match(await rules(), /table bridge uncloud/);
    assert.equal(unit('ActiveState'), 'active');
    assert.match(unit('StatusText'), /^0 VMs/);
  });

  test('runs as a user of its own who may change the network, and nothing else', async () => {
    const status = systemd.run('cat', `/proc/${unit('MainPID')}/status`);
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
    const [uid] = (field('Uid') ?? '').split('\t').map(Number);
    assert.ok(uid !== undefined && uid >= 61184 && uid <= 65519, `DynamicUser: ${uid}`);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.equal(Number.parseInt(field(set) ?? '', 16), CAP_NET_ADMIN, set);
    assert.deepEqual([field('NoNewPrivs'), field('Seccomp')], ['1', '2']);
    const socket = systemd.run('stat', '--format=%a %u', '/run/nftjs/agent.sock').trim();
    assert.equal(socket, `600 ${uid}`);
  });

  test('follows the store, heals, and keeps the last good state in its directory', async () => {
    systemd.write('/root/vms.json', `{"vms": {"one": ${vm(1)}}}`);
    systemd.run('nftjs', 'uncloud', 'import', 'json', '/root/vms.json', '--store', DIRECTORY);
    await until(
      () => `the VM is in force: ${log()}`,
      async () => (await rules()).includes('192.0.2.1'),
    );
    await nft.commit([{ flush: { ruleset: null } }]);
    await until('they are put back', async () => (await rules()).includes('192.0.2.1'));
    await until('systemd is told', () => unit('StatusText').startsWith('1 VMs at revision'));
    await until('the state is kept', () => systemd.try('test', '-s', '/var/lib/nftjs/state').status === 0);
    systemd.run('nftjs', 'uncloud', 'wait', '--vm', 'one', '--name', 'here', '--store', DIRECTORY);
    for (const word of ['EPERM', 'EACCES', 'not told']) assert.ok(!log().includes(word), log());
  });

  test('waits for whoever else writes into the directory, another user as well', async () => {
    const start = systemd
      .read('/proc/1/stat')
      .replace(/^.*\) /, '')
      .split(' ')[19];
    const lock = '/var/lib/private/nftjs/store/.lock-1000000';
    systemd.write(lock, `1 ${start}`);
    systemd.write(`${STORE}/vm/two.json`, vm(2));
    await until('the VM is in force', async () => (await rules()).includes('192.0.2.2'));
    const revision = () => JSON.parse(systemd.read(`${STORE}/host/here/status.json`)).revision;
    const before = revision();
    await pause(1500);
    assert.equal(revision(), before, 'it has the lock');
    systemd.write(lock, '');
    await until('the status says so', () => revision() > before);
  });

  test('reload reads everything again, as often as it is asked for', async () => {
    const times = () => log().match(/reading everything again/g)?.length ?? 0;
    for (const count of [1, 2]) {
      const before = times();
      systemd.run('systemctl', 'reload', NAME);
      await until(
        () => `all kinds are read again, time ${count}: ${log()}`,
        () => times() - before === 4,
      );
      await until('it is active', () => unit('ActiveState') === 'active');
    }
  });

  test('the watchdog starts an agent again that hangs; the rules stay meanwhile', async () => {
    settle({ StandardError: 'append:/run/agent.log', WatchdogSec: '4', RestartSec: '200ms' });
    systemd.run('systemctl', 'restart', NAME);
    assert.match(await rules(), /192\.0\.2\.1/);
    const pid = unit('MainPID');
    // Longer than the watchdog's patience: who is well is left alone.
    await pause(4500);
    assert.deepEqual([unit('MainPID'), unit('NRestarts')], [pid, '0']);
    systemd.run('kill', '-STOP', pid);
    await until('it is started again', async () => {
      assert.match(await rules(), /192\.0\.2\.1/);
      return unit('NRestarts') === '1' && unit('ActiveState') === 'active';
    });
    assert.notEqual(unit('MainPID'), pid);
  });

  test('killed or stopped, it leaves the rules', async () => {
    const pid = unit('MainPID');
    systemd.run('kill', '-KILL', pid);
    await until('it is started again', async () => {
      assert.match(await rules(), /192\.0\.2\.1/);
      return unit('MainPID') !== pid && unit('ActiveState') === 'active';
    });
    systemd.run('systemctl', 'stop', NAME);
    assert.deepEqual([unit('ActiveState'), unit('Result')], ['inactive', 'success']);
    assert.match(await rules(), /192\.0\.2\.1/);
  });

  test('is installed as docs/distributed.md says', async () => {
    const text = readFileSync(join(ROOT, 'docs/distributed.md'), 'utf8');
    const script = /## As a service.*?```sh\n(.*?)```/s.exec(text)?.[1] ?? assert.fail('no commands');
    const description = systemd.read('/etc/nftjs/host.json');
    systemd.run('rm', '-r', '/etc/nftjs', `/etc/systemd/system/${NAME}.service`);
    systemd.write('/root/clone/host.json', description);
    systemd.run('ln', '-s', `${PLACES.project}/systemd`, '/root/clone/systemd');
    systemd.run('sh', '-ec', `cd /root/clone\n${script}`);
    assert.equal(unit('UnitFileState'), 'enabled');
    assert.equal(unit('ActiveState'), 'active');
    await until('it says so', () => unit('StatusText').includes('the store has not been heard since'));
    systemd.run('systemctl', 'disable', '--now', NAME);
    assert.match(await rules(), /192\.0\.2\.1/);
  });

  test('after a boot, the last good state is in force before the store is heard; a password is a credential', async () => {
    await nft.commit([{ flush: { ruleset: null } }]);
    systemd.write('/etc/nftjs/etcd-password', 'secret\n', 0o600);
    const credential = `/run/credentials/${NAME}.service/etcd`;
    settle({ StandardError: 'append:/run/agent.log', LoadCredential: 'etcd:/etc/nftjs/etcd-password' });
    systemd.write(
      '/etc/nftjs/uncloud.env',
      `NFTJS_STORE=etcd://127.0.0.1:2379
NFTJS_OPTIONS=--name here --etcd-user nftjs --etcd-password-file ${credential}
`,
    );
    systemd.run('systemctl', 'start', NAME);
    assert.match(await rules(), /192\.0\.2\.1/);
    await until('it says so', () => unit('StatusText').includes('the store has not been heard since'));
    systemd.run('systemctl', 'stop', NAME);
  });
});
