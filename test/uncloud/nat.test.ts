import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { apply, factsOf, parseHost, parsePolicy } from '../../src/uncloud/index.ts';
import { Program } from '../support/frames/machines.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { requires } from '../support/requirements.ts';
import { until } from '../support/wait.ts';

// A guest, this host and somebody outside as three network stacks, and real connections between them.

/** Answers every connection and every datagram with where it came from. */
const SERVER = `
const from = ({ address, port }) => JSON.stringify({ address: address.replace('::ffff:', ''), port });
require('net').createServer((socket) => {
  socket.on('error', () => {});
  socket.end(from({ address: socket.remoteAddress, port: socket.remotePort }));
}).listen(7000, '::', () => {
  const datagrams = require('dgram').createSocket('udp6');
  datagrams.on('message', (_, peer) => datagrams.send(from(peer), peer.port, peer.address));
  datagrams.bind(7000, '::', () => console.log('listening'));
});`;

/** Asks it from one port after the other; null where nothing is answered. */
const CLIENT = `
const within = (promise) => Promise.race([promise, new Promise((_, no) => setTimeout(no, 5000, new Error('no answer')).unref())]);
const tcp = (host, localPort) => new Promise((yes, no) => {
  let text = '';
  require('net').connect({ host, port: 7000, localPort })
    .on('error', no).on('data', (data) => { text += data; }).on('end', () => yes(text));
});
const udp = (host, localPort) => new Promise((yes, no) => {
  const socket = require('dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', no).on('message', (data) => { socket.close(); yes(String(data)); });
  socket.bind(localPort, () => socket.send('?', 7000, host));
});
(async () => {
  const answers = [];
  for (const [kind, host, port] of JSON.parse(process.argv[1])) {
    answers.push(JSON.parse(await within((kind === 'tcp' ? tcp : udp)(host, port)).catch(() => 'null')));
  }
  console.log(JSON.stringify(answers));
  process.exit();
})();`;

type Question = readonly [kind: 'tcp' | 'udp', host: string, localPort: number];
type Answer = { readonly address: string; readonly port: number } | null;

const PRIVILEGED = [1, 22, 53, 80, 443, 500, 1023];

suite(
  'a nat network, by real connections',
  requires('root', 'ip', 'bridge', 'veth', 'nat', 'conntrack'),
  () => {
    const [host, guest, outside] = [new Namespace(), new Namespace(), new Namespace()];
    let server: Program;

    const inside = ({ path }: Namespace) => [`--net=${path}`, '--', process.execPath, '-e'];
    const ask = (from: Namespace, questions: readonly Question[]): Answer[] =>
      JSON.parse(from.run(process.execPath, ['-e', CLIENT, JSON.stringify(questions)]));

    before(async () => {
      host.run('sh', [
        '-ec',
        `ip link add virbr0 type bridge stp_state 0
       ip link add g0 type veth peer name eth0 netns ${guest.path}
       ip link add ext0 type veth peer name eth0 netns ${outside.path}
       ip link set g0 master virbr0
       for name in g0 virbr0 ext0; do ip link set $name up; done
       ip address add 192.168.122.1/24 dev virbr0; ip -6 address add fd00:122::1/64 dev virbr0 nodad
       ip address add 192.0.2.1/24 dev ext0; ip -6 address add 2001:db8:9::1/64 dev ext0 nodad
       echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding`,
      ]);
      const plug = (address: string, address6: string, routes: string) =>
        `ip link set eth0 up; ip address add ${address} dev eth0; ip -6 address add ${address6} dev eth0 nodad; ${routes}`;
      const toHost = 'ip route add default via 192.168.122.1; ip -6 route add default via fd00:122::1';
      guest.run('sh', ['-ec', plug('192.168.122.31/24', 'fd00:122::31/64', toHost)]);
      const toGuests =
        'ip route add 192.168.122.0/24 via 192.0.2.1; ip -6 route add fd00:122::/64 via 2001:db8:9::1';
      outside.run('sh', ['-ec', plug('192.0.2.9/24', '2001:db8:9::9/64', toGuests)]);
      server = new Program(
        spawn('nsenter', [...inside(outside), SERVER], { stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      await until('the server listens', () => server.said.includes('listening'), 60);
    });
    after(async () => {
      await server?.end();
      for (const namespace of [host, guest, outside]) namespace.close();
    });

    const questions = ['192.0.2.9', '2001:db8:9::9'].flatMap((to) =>
      (['tcp', 'udp'] as const).flatMap((kind) =>
        [...PRIVILEGED, 40_000].map((port): Question => [kind, to, port]),
      ),
    );

    test('without rules, ports and addresses are the guest’s own', () => {
      for (const [index, answer] of ask(guest, questions).entries()) {
        const [, to, port] = questions[index] as Question;
        assert.deepEqual(answer, { address: to.includes(':') ? 'fd00:122::31' : '192.168.122.31', port });
      }
    });

    test('the guest reaches the outside under the host’s addresses, from no port below 1024', async () => {
      using nft = connect({ netns: host.path });
      const description = parseHost({ bridges: {} });
      const { policy, problems } = parsePolicy(
        { networks: { virbr0: { mode: 'nat', ipv4: '192.168.122.0/24', ipv6: 'fd00:122::/64' } } },
        { host: description },
      );
      assert.deepEqual(problems, []);
      await apply(nft, { host: description, policy, facts: await factsOf(nft) });
      for (const [index, answer] of ask(guest, questions).entries()) {
        const [kind, to, from] = questions[index] as Question;
        const what = `${kind} from ${from} to ${to}`;
        assert.ok(answer, `${what}: no answer`);
        assert.equal(answer.address, to.includes(':') ? '2001:db8:9::1' : '192.0.2.1', what);
        assert.ok(answer.port >= 1024, `${what}: from ${answer.port}`);
        if (from >= 1024) assert.equal(answer.port, from, what);
      }
    });

    test('nobody outside reaches the guest', async () => {
      const here = new Program(
        spawn('nsenter', [...inside(guest), SERVER], { stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      try {
        await until('the guest listens', () => here.said.includes('listening'), 60);
        const uncalled: Question[] = ['192.168.122.31', 'fd00:122::31'].map((to) => ['tcp', to, 40_001]);
        assert.deepEqual(ask(outside, uncalled), [null, null]);
        assert.ok(
          ask(host, uncalled).every((answer) => answer !== null),
          'the guest does not listen',
        );
      } finally {
        await here.end();
      }
    });
  },
);
