import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Agent, ServerAddress } from '../../../src/uncloud/index.ts';
import { serveAgent } from '../../../src/uncloud/index.ts';

const orders: string[] = [];
const state = { staleSince: undefined, held: undefined, error: undefined, since: new Date(0), leftOut: [] };
const agent = { state, confirm: () => orders.push('confirm'), resync: () => orders.push('resync') };

async function ask(address: ServerAddress, method: string, path: string): Promise<number | undefined> {
  const where = 'path' in address ? { socketPath: address.path } : { host: '127.0.0.1', port: address.port };
  return new Promise((resolve, reject) => {
    request({ ...where, method, path }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

suite('the server of an agent', () => {
  test('a port tells, and takes no orders', async () => {
    await using server = await serveAgent(agent as unknown as Agent, { port: 0 });
    const address = { port: server.port ?? assert.fail() };
    assert.equal(await ask(address, 'GET', '/health'), 200);
    assert.equal(await ask(address, 'GET', '/metrics'), 200);
    assert.equal(await ask(address, 'POST', '/confirm'), 404);
    assert.equal(await ask(address, 'GET', '/constructor'), 404);
    assert.deepEqual(orders, []);
  });

  test('a socket takes orders from its user, takes the place of an old one, and of nothing else', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-server-'));
    try {
      const path = join(home, 'agent.sock');
      const open = () => serveAgent(agent as unknown as Agent, { path });
      const abandoned = await open();
      {
        await using _server = await open();
        assert.equal((await stat(path)).mode & 0o777, 0o600);
        assert.equal(await ask({ path }, 'POST', '/confirm'), 202);
        assert.equal(await ask({ path }, 'POST', '/resync'), 202);
      }
      assert.deepEqual(orders.splice(0), ['confirm', 'resync']);
      await abandoned[Symbol.asyncDispose]();
      await writeFile(path, 'precious');
      await assert.rejects(open(), { code: 'EADDRINUSE' });
      assert.equal(await readFile(path, 'utf8'), 'precious');
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
