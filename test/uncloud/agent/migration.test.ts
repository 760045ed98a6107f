import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Change, type Connection, connect } from '../../../src/index.ts';
import { Agent, MemoryStore, parseHost, TABLE } from '../../../src/uncloud/index.ts';
import { silence } from '../../simulation/host.ts';
import { arrival, BRIDGE, PREFIX, recordOf, type Vm, vmOf } from '../../simulation/vm.ts';
import { Namespace } from '../../support/frames/namespace.ts';
import { PacketSocket } from '../../support/frames/packet-socket.ts';
import { requires } from '../../support/requirements.ts';

const [moving, peer, bystander, resident] = [vmOf(1, 0, []), vmOf(2, 0, []), vmOf(3, 2, []), vmOf(4, 1, [])];
const all = [moving, peer, bystander, resident];
const host = parseHost({ bridges: { [BRIDGE]: { uplinks: ['up0'] } }, sets: 'named' });

/** Sends a number every 5 ms to whoever connects. */
const SERVER = `
require('node:net').createServer((socket) => {
  socket.on('error', () => process.exit(1)).setNoDelay();
  let n = 0;
  setInterval(() => socket.write(String(n++) + '\\n'), 5);
}).listen(7000, '0.0.0.0', () => console.log('ready'));`;
/** Reads them on one connection, and says the last of an unbroken row every 50 ms. */
const CLIENT = (address: string) => `
const socket = require('node:net').connect(7000, '${address}');
let rest = '', next = 0;
socket.on('error', (error) => { console.log('broken ' + error.message); process.exit(1); });
socket.on('close', () => { console.log('broken: closed'); process.exit(1); });
socket.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    if (Number(line) !== next++) { console.log('broken at ' + line); process.exit(1); }
  }
});
setInterval(() => console.log(next), 50);`;

/** Two machines' worth of wire: bridges in namespaces, and a switch between them. */
class Site implements AsyncDisposable {
  readonly fabric = new Namespace();
  readonly hosts = [new Namespace(), new Namespace(), new Namespace()] as const;
  readonly guests = new Map<Vm, Namespace>();
  readonly connections: Connection[] = [];
  readonly programs: ChildProcess[] = [];

  constructor() {
    for (const namespace of [this.fabric, ...this.hosts]) silence(namespace);
    const bridge = 'type bridge stp_state 0 mcast_snooping 0';
    this.fabric.run('ip', ['-batch', '-'], `link add sw0 ${bridge}\nlink set sw0 up\n`);
    for (const [i, namespace] of this.hosts.entries()) {
      const lines = [
        `link add ${BRIDGE} ${bridge}`,
        `link set ${BRIDGE} up`,
        `link add up0 type veth peer name h${i} netns ${this.fabric.path}`,
        `link set up0 master ${BRIDGE} up`,
      ];
      namespace.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
      this.fabric.run('ip', ['link', 'set', `h${i}`, 'master', 'sw0', 'up']);
      this.connections.push(connect({ netns: namespace.path }));
    }
  }

  /** A VM's card in a network stack of its own, whose other end is not plugged in yet. */
  create(vm: Vm): Namespace {
    const guest = new Namespace();
    silence(guest);
    this.guests.set(vm, guest);
    const lines = [
      `link add eth0 address ${vm.mac} type veth peer name ${vm.ifname} netns ${this.at(vm).path}`,
      'link set eth0 up',
      `address add ${vm.ipv4}/8 dev eth0`,
    ];
    guest.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
    return guest;
  }

  at(vm: Vm): Namespace {
    return this.hosts[vm.host] as Namespace;
  }

  plug(vm: Vm): void {
    this.at(vm).run('ip', ['link', 'set', vm.ifname, 'master', BRIDGE, 'up']);
  }

  /** What a machine monitor does: the port goes here and comes there, and the VM's stack is none the wiser. */
  migrate(vm: Vm, to: number): void {
    this.at(vm).run('ip', ['link', 'set', vm.ifname, 'netns', (this.hosts[to] as Namespace).path]);
    vm.host = to;
    this.plug(vm);
  }

  run(vm: Vm, code: string, hear: (line: string) => void): void {
    const netns = (this.guests.get(vm) as Namespace).path;
    const child = spawn(
      'nsenter',
      [`--net=${netns}`, '--', 'setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', code],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) hear(line);
    });
    this.programs.push(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.programs) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve));
    }
    for (const connection of this.connections) await connection[Symbol.asyncDispose]();
    for (const namespace of [...this.guests.values(), ...this.hosts, this.fabric]) namespace.close();
  }
}

async function until(what: string, isSo: () => boolean, milliseconds = 20_000): Promise<void> {
  for (const end = Date.now() + milliseconds; !isSo(); await pause(10))
    assert.ok(Date.now() < end, `not within ${milliseconds} ms: ${what}`);
}

suite('a VM that moves to another host', requires('root', 'netns', 'ip', 'bridge', 'veth'), () => {
  test('changes no rule, keeps its connections, and is seen by nobody else', {
    timeout: 120_000,
  }, async () => {
    await using site = new Site();
    await using store = new MemoryStore();
    for (const vm of all) await store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
    const ending = new AbortController();
    const agents = site.connections.map((nft, i) => new Agent({ name: `host${i}`, host, store, nft }));
    const running = agents.map((agent) =>
      agent.run(ending.signal).catch((error) => ending.signal.aborted || Promise.reject(error)),
    );
    const commits: { host: number; changes: readonly Change[] }[] = [];
    const monitors = site.connections.map(async (nft, i) => {
      for await (const event of nft.monitor({ table: TABLE, signal: ending.signal }))
        commits.push({ host: i, changes: event.overrun ? [] : event.changes });
    });
    const ended = Promise.allSettled([...running, ...monitors]);
    try {
      await until('rules everywhere', () => agents.every((agent) => agent.state.vms === all.length));
      for (const vm of all) {
        site.create(vm);
        site.plug(vm);
      }
      let read = 0;
      let broken = '';
      let isReady = false;
      site.run(moving, SERVER, (line) => {
        isReady ||= line === 'ready';
      });
      await until('a server', () => isReady);
      site.run(peer, CLIENT(moving.ipv4), (line) => {
        if (line.startsWith('broken')) broken = line;
        else read = Number(line);
      });
      await until('a stream', () => read > 20 || broken !== '');
      // What agents do about ports that came is done.
      await pause(1500);
      commits.length = 0;

      const before = read;
      site.migrate(moving, 1);
      using card = new PacketSocket((site.guests.get(moving) as Namespace).path, 'eth0', 'send');
      // As a machine monitor does: more than once, the bridge's port has to be up.
      await until('the stream going on', () => {
        card.send(arrival(moving));
        return read > before + 20 || broken !== '';
      });
      assert.equal(broken, '');

      // From the announcement on, the third host and its VM see nothing of it.
      using uplink = new PacketSocket((site.hosts[2] as Namespace).path, 'up0');
      using stranger = new PacketSocket((site.guests.get(bystander) as Namespace).path, 'eth0');
      const middle = read;
      await until('the stream going on still', () => read > middle + 100 || broken !== '');
      assert.equal(broken, '');
      const macs = [moving, peer].map(({ mac }) => Buffer.from(mac.replaceAll(':', ''), 'hex'));
      const unicast: string[] = [];
      for (const [name, socket] of [
        ['uplink', uplink],
        ['bystander', stranger],
      ] as const) {
        for (let frame = socket.receive(0); frame; frame = socket.receive(0)) {
          const [to, from] = [frame.subarray(0, 6), frame.subarray(6, 12)];
          const isTheirs = macs.some((mac) => mac.equals(from)) && ((to[0] ?? 0) & 1) === 0;
          if (isTheirs) unicast.push(`${name}: ${frame.toString('hex')}`);
        }
      }
      assert.deepEqual(unicast, []);

      await pause(1500);
      // A port's own chain of family netdev comes and goes with it, and its one rule, which goes to where the rules
      // are; nothing else says what is where.
      const changed = commits.flatMap(({ host, changes }) => changes.map((change) => ({ host, change })));
      if (process.env.NFTJS_TALLY) console.log(JSON.stringify(changed, undefined, 1));
      const isHook = ({ object }: Change) => {
        const chain = 'chain' in object ? object.chain : 'rule' in object ? object.rule : undefined;
        const name = chain && 'name' in chain ? chain.name : chain && 'chain' in chain ? chain.chain : '';
        return chain?.family === 'netdev' && name.startsWith('ingress/');
      };
      assert.deepEqual(
        changed.filter(({ change }) => !isHook(change)),
        [],
      );
    } finally {
      ending.abort(new Error('enough'));
      await ended;
    }
  });
});
