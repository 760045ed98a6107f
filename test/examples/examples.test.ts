import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const root = join(import.meta.dirname, '../..');

const command = (name: string, netns: string, args: readonly string[]) => [
  ...['--import', 'tsx', `examples/${name}/main.ts`, '--netns', netns],
  ...args,
];

/** Runs an example to its end and answers with what it printed. */
async function run(name: string, { netns }: Kernel, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, command(name, netns, args), { cwd: root });
  return stdout;
}

suite('examples', requires('root', 'netns', 'nft'), () => {
  test('basic-filter replaces its table as often as it runs', () =>
    withKernel(async (kernel) => {
      const printed = await run('basic-filter', kernel);
      assert.equal(await run('basic-filter', kernel), printed);
      assert.equal(printed.trim(), kernel.text().trim());
      assert.match(printed, /elements = \{ 192\.0\.2\.1, 198\.51\.100\.0\/24 \}/);
      assert.match(printed, /tcp dport \{ 22, 80, 443 \} ct state new accept/);
    }));

  test('nat-gateway leads ports to servers', requires('nat', 'conntrack'), () =>
    withKernel(async (kernel) => {
      const printed = await run('nat-gateway', kernel, '--uplink', 'ppp0');
      assert.match(printed, /443 : 10\.0\.0\.10 \. 8443/);
      assert.match(printed, /iifname "ppp0" dnat (ip )?to tcp dport map @services/);
      assert.match(kernel.text(), /oifname "ppp0" ip saddr 10\.0\.0\.0\/24 masquerade/);
    }),
  );

  test('blocklist loads many and changes single ones', () =>
    withKernel(async (kernel) => {
      const printed = await run('blocklist', kernel, '--count', '20000');
      assert.match(printed, /^20000 addresses: [\d.]+ ms\none more: [\d.]+ ms\none less: [\d.]+ ms\n$/);
      const blocked = kernel.run('nft', ['list', 'set', 'ip', 'blocklist', 'blocked']);
      assert.equal(blocked.match(/\d+\.\d+\.\d+\.\d+ timeout/g)?.length, 20_000);
      assert.match(blocked, /10\.0\.78\.31 timeout 1h33m19s/);
      assert.match(blocked, /192\.0\.2\.1 timeout 1m/);
      assert.doesNotMatch(blocked, /10\.0\.0\.0 /);
    }));

  test('vm-sets adds and removes a VM whole', () =>
    withKernel(async (kernel) => {
      const printed = await run('vm-sets', kernel);
      assert.match(printed, /"tap2" \. 02:00:00:00:00:02 \. 192\.0\.2\.2/);
      assert.match(printed, /"tap2" \. 02:00:00:00:00:02 \. 192\.0\.2\.3/);
      assert.doesNotMatch(printed, /tap1/);
      assert.match(kernel.text(), /iifname \. ether saddr \. ip saddr @ipv4 accept/);
    }));

  test('dispatch opens and closes services', () =>
    withKernel(async (kernel) => {
      const printed = await run('dispatch', kernel);
      assert.match(printed, /443 : jump web/);
      assert.match(printed, /8443 : jump web/);
      assert.doesNotMatch(printed, /\b80 :/);
      assert.match(kernel.text(), /tcp dport vmap @services/);
    }));

  test('counters tells what was counted, exactly', () =>
    withKernel(async (kernel) => {
      kernel.load('table inet t { counter big { packets 3 bytes 9007199254740993; }; }');
      const printed = await run('counters', kernel);
      const labels = '{family="inet",table="t",name="big"}';
      assert.ok(printed.includes(`nftables_counter_packets_total${labels} 3\n`), printed);
      assert.ok(printed.includes(`nftables_counter_bytes_total${labels} 9007199254740993\n`), printed);
    }));

  test('self-heal undoes what others change', () =>
    withKernel(async (kernel) => {
      const child = spawn(process.execPath, command('self-heal', kernel.netns, ['--repairs', '2']), {
        cwd: root,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        await heal(kernel, child);
      } finally {
        child.kill();
      }
    }));
});

async function heal({ run: inside, text }: Kernel, child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  const printed: string[] = [];
  let guarded = '';
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) {
    printed.push(line);
    if (printed.length === 1) {
      guarded = text();
      inside('nft', ['flush', 'chain', 'inet', 'guarded', 'input']);
    } else if (printed.length === 2) {
      assert.equal(text(), guarded);
      inside('nft', ['add', 'chain', 'inet', 'guarded', 'mine']);
    }
  }
  assert.deepEqual(await exited, [0, null]);
  assert.equal(printed[0], 'in force');
  assert.match(printed[1] ?? '', /^nft changed it; undone by .*"rule"/);
  assert.match(printed[2] ?? '', /^nft changed it; undone by .*"mine"/);
  assert.equal(text(), guarded);
}
