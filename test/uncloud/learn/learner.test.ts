import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { type FakeConnection, FakeKernel, type FakePacket } from '../../../src/testing/index.ts';
import { apply, Firewall, type LearnEvent, Learner, parseHost } from '../../../src/uncloud/index.ts';
import { LEARN } from '../../../src/uncloud/learn-rules.ts';
import { arp, type Dhcp, dhcp, dhcp6, iaAddress, iaNa, ipv4, ipv6, udp } from './messages.ts';

const [ONE, TWO, ANY] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'] as const;
const interfaces = ['lo', 'br0', 'up', 'one', 'two', 'any'].map((name, i) => ({ name, index: i + 1 }));
const nic = (ifname: string, mac: string, more: object) => ({ ifname, bridge: 'br0', mac, ...more });
const records: Record<string, unknown> = {
  one: { nics: [nic('one', ONE, { learn: 'dhcp' })] },
  two: { nics: [nic('two', TWO, { ipv4: ['10.0.0.2/32'], ipv6: ['2001:db8::2/128'] })] },
  any: { nics: [nic('any', ANY, { learn: 'any' })] },
};

for (const sets of ['anonymous', 'named', 'auto'] as const) {
  for (const backend of ['bridge', 'netdev'] as const) {
    suite(`learning, ${sets} sets, backend ${backend}`, () => {
      let kernel: FakeKernel;
      let nft: FakeConnection;
      let firewall: Firewall;
      let learner: Learner;
      let events: LearnEvent[];
      let time: number;
      let ending: AbortController;
      let running: Promise<unknown>;

      const host = (learning?: object) =>
        parseHost({ bridges: { br0: { uplinks: ['up'], backend } }, sets, ...(learning && { learning }) });
      const facts = {
        ibrname: true,
        conntrack: true,
        reject: true,
        interfaces: interfaces.map(({ name }) => ({
          ifname: name,
          ...(name !== 'lo' && name !== 'br0' && { bridge: 'br0' }),
        })),
      };

      async function start(learning?: object, vms = records): Promise<void> {
        firewall = new Firewall({ host: host(learning), policy: { vms }, facts });
        assert.deepEqual(firewall.problems, []);
        await apply(nft, firewall.rendering());
        listen(learning);
        await learner.take(firewall);
        await new Promise(setImmediate);
      }

      function listen(learning?: object): void {
        learner = new Learner({
          nft,
          host: host(learning),
          tell: (event) => events.push(event),
          now: () => time,
        });
        ending = new AbortController();
        running = learner.run(ending.signal).catch(() => {});
      }

      async function end(): Promise<void> {
        ending.abort();
        await running;
      }

      beforeEach(() => {
        time = 1_000_000;
        kernel = new FakeKernel({ interfaces, now: () => time });
        nft = kernel.connect();
        events = [];
      });
      afterEach(async () => {
        await end();
        nft.close();
      });

      /** What has been told since this was last asked, in words; when the learner has come to rest. */
      async function told(): Promise<string[]> {
        for (let n = 0; n < 40; n++) await new Promise(setImmediate);
        return events.splice(0).map((event) => {
          if (event.kind === 'overrun') return 'overrun';
          if (event.kind === 'failed') return `failed ${event.error.message}`;
          const { kind, ifname, address, seconds, why } = event;
          return [kind, ifname, address, seconds === undefined ? '' : `${seconds}s`, why ?? '']
            .join(' ')
            .trim()
            .replace(/ {2,}/g, ' ');
        });
      }

      const ports = (out: string | undefined, to: string | undefined): Partial<FakePacket> =>
        backend === 'bridge'
          ? { ...(out && { physindev: out, indev: 'br0' }), ...(to && { physoutdev: to, outdev: 'br0' }) }
          : { ...(out && { indev: out }), ...(to && { outdev: to }) };
      const family = backend === 'bridge' ? 'bridge' : 'netdev';
      const hook = backend === 'bridge' ? 'prerouting' : 'ingress';

      function from(
        ifname: string,
        mac: string,
        prefix: string,
        protocol: number,
        payload: Uint8Array,
      ): void {
        const packet = {
          family,
          hook,
          prefix,
          protocol,
          hwaddr: mac,
          payload,
          ...ports(ifname, undefined),
        } as const;
        kernel.logPacket(546, packet);
      }

      function asks(ifname: string, message: Omit<Dhcp, 'xid'> & { xid?: number }): void {
        const { has = '0.0.0.0' } = message;
        const data = udp(68, 67, dhcp({ xid: 7, ...message }));
        from(ifname, message.mac, LEARN.asked, 0x0800, ipv4(has, '255.255.255.255', data));
      }

      function to(ifname: string, protocol: number, packet: Uint8Array, sender = '02:ff:00:00:00:01'): void {
        const link = Buffer.concat([
          Buffer.alloc(6),
          Buffer.from(sender.replaceAll(':', ''), 'hex'),
          Buffer.alloc(2),
        ]);
        const payload = backend === 'bridge' ? packet : Buffer.concat([link, packet]);
        const at = backend === 'bridge' ? 'forward' : 'egress';
        kernel.logPacket(546, {
          family,
          hook: at,
          prefix: LEARN.answered,
          protocol,
          payload,
          ...ports(undefined, ifname),
        });
      }

      function answers(ifname: string, message: Partial<Dhcp> & { mac: string }, sender?: string): void {
        const whole = { op: 2, type: 'ack', xid: 7, lease: 600, given: '10.0.0.7', ...message } as const;
        to(ifname, 0x0800, ipv4('10.0.0.254', '255.255.255.255', udp(67, 68, dhcp(whole))), sender);
      }

      async function elements(name: string, table = family as string): Promise<unknown[]> {
        const { nftables } = await nft.list({ family: table as never, table: 'uncloud', set: name });
        return nftables.flatMap((one) => ('set' in one ? [...((one.set.elem as unknown[]) ?? [])] : []));
      }

      const leased = async (ifname = 'one', mac: string = ONE, given = '10.0.0.7', lease = 600) => {
        asks(ifname, { type: 'request', mac });
        answers(ifname, { mac, given, lease });
        return told();
      };

      test('a lease becomes elements with its time, in one transaction', async () => {
        await start();
        const before = kernel.commits.length;
        assert.deepEqual(await leased(), ['learnt one 10.0.0.7 600s']);
        assert.equal(learner.figures?.addresses, 1);
        assert.equal(kernel.commits.length, before + 1);
        const timed = (concat: unknown[]) => [{ elem: { val: { concat }, timeout: 600, expires: 600 } }];
        assert.deepEqual(await elements('learned_ip'), timed(['one', ONE, '10.0.0.7']));
        assert.deepEqual(await elements('learned_arp'), timed(['one', ONE, ONE, '10.0.0.7']));
        assert.deepEqual(await elements('learned_ip', 'inet'), [
          { elem: { val: '10.0.0.7', timeout: 600, expires: 600 } },
        ]);
      });

      test('a renewal gives it its whole time again; what is not renewed goes', async () => {
        await start();
        await leased();
        time += 300_000;
        assert.deepEqual(await leased(), ['renewed one 10.0.0.7 600s']);
        assert.equal(
          ((await elements('learned_ip')) as [{ elem: { expires: number } }])[0].elem.expires,
          600,
        );
        time += 599_000;
        assert.equal(learner.lessons.length, 1);
        time += 2000;
        assert.deepEqual(learner.lessons, []);
        assert.deepEqual(await elements('learned_ip'), []);
        assert.deepEqual(await leased(), [
          'forgotten one 10.0.0.7 its time is up',
          'learnt one 10.0.0.7 600s',
        ]);
      });

      test('a lease for ever has no time', async () => {
        await start();
        assert.deepEqual(await leased('one', ONE, '10.0.0.7', 0xffffffff), ['learnt one 10.0.0.7']);
        assert.deepEqual(await elements('learned_ip'), [{ concat: ['one', ONE, '10.0.0.7'] }]);
      });

      test('release and decline give it up', async () => {
        await start();
        await leased();
        asks('one', { type: 'release', mac: ONE, has: '10.0.0.7' });
        assert.deepEqual(await told(), ['forgotten one 10.0.0.7 released']);
        assert.deepEqual(await elements('learned_arp'), []);
        await leased();
        asks('one', { type: 'decline', mac: ONE, options: [Buffer.from([50, 4, 10, 0, 0, 7])] });
        assert.deepEqual(await told(), ['forgotten one 10.0.0.7 declined']);
      });

      test('an answer counts only if it is one: to this port, to what it asked, from a server', async () => {
        await start();
        assert.deepEqual(learner.figures, { ports: 2, addresses: 0, refused: 0, unbelieved: 0 });
        answers('one', { mac: ONE });
        asks('one', { type: 'request', mac: ONE });
        answers('one', { mac: ONE, xid: 8 });
        answers('one', { mac: TWO });
        answers('one', { mac: ONE, op: 1 });
        answers('one', { mac: ONE, type: 'offer' });
        answers('one', { mac: ONE, type: 'nak' });
        answers('one', { mac: ONE, given: '0.0.0.0' });
        answers('one', { mac: ONE, lease: 0 });
        answers('two', { mac: TWO });
        asks('one', { type: 'request', mac: ONE, op: 2 });
        // What a VM says of itself teaches nothing, whatever it says.
        const forged = udp(
          67,
          68,
          dhcp({ op: 2, type: 'ack', xid: 7, mac: ONE, given: '10.0.0.66', lease: 600 }),
        );
        for (const prefix of [LEARN.asked, LEARN.unknown])
          from('one', ONE, prefix, 0x0800, ipv4('10.0.0.254', '10.0.0.66', forged));
        asks('any', { type: 'request', mac: ONE });
        assert.deepEqual(await told(), []);
        time += 200_000;
        answers('one', { mac: ONE });
        assert.deepEqual(await told(), [], 'too late');
        if (backend === 'netdev') {
          asks('one', { type: 'request', mac: ONE });
          answers('one', { mac: ONE }, TWO);
          assert.deepEqual(await told(), [], 'the sender is a VM');
        }
        assert.deepEqual(learner.lessons, []);
        const unbelieved = backend === 'netdev' ? 4 : 3;
        assert.deepEqual(learner.figures, { ports: 2, addresses: 0, refused: 0, unbelieved });
      });

      test('DHCPv6: addresses of a reply; refused, withdrawn and released', async () => {
        await start();
        const ask = (type: 'request' | 'release' | 'solicit', ...options: Uint8Array[]) =>
          from(
            'one',
            ONE,
            LEARN.asked,
            0x86dd,
            ipv6('fe80::1', 'ff02::1:2', udp(546, 547, dhcp6(type, 5, ...options))),
          );
        const reply = (...options: Uint8Array[]) =>
          to('one', 0x86dd, ipv6('fe80::ff', 'fe80::1', udp(547, 546, dhcp6('reply', 5, ...options))));
        reply(iaNa(iaAddress('2001:db8::7', 600)));
        assert.deepEqual(await told(), []);
        ask('request');
        reply(
          iaNa(
            iaAddress('2001:db8::7', 600),
            iaAddress('2001:db8::8', 0xffffffff),
            iaAddress('2001:db8::2', 600),
          ),
        );
        assert.deepEqual(await told(), [
          'learnt one 2001:db8::7 600s',
          'learnt one 2001:db8::8',
          'refused one 2001:db8::2 it belongs to VM two',
        ]);
        assert.equal((await elements('learned_nd_target')).length, 2);
        reply(iaNa(iaAddress('2001:db8::7', 0)));
        assert.deepEqual(await told(), ['forgotten one 2001:db8::7 withdrawn']);
        ask('release', iaNa(iaAddress('2001:db8::8', 0)));
        assert.deepEqual(await told(), ['forgotten one 2001:db8::8 released']);
        assert.deepEqual(await elements('learned_ip6'), []);
      });

      test('any: the first packet teaches, of IPv4, ARP and IPv6; more than may be is refused', async () => {
        await start();
        from('any', ANY, LEARN.unknown, 0x0806, arp(ANY, '10.0.0.9', '10.0.0.254'));
        assert.deepEqual(await told(), ['learnt any 10.0.0.9']);
        from('any', ANY, LEARN.unknown, 0x0800, ipv4('10.0.0.10', '10.0.0.254', udp(1, 2, Buffer.alloc(3))));
        assert.deepEqual(await told(), ['refused any 10.0.0.10 no more than 1 of its family are learnt']);
        for (let n = 1; n <= 6; n++)
          from(
            'any',
            ANY,
            LEARN.unknown,
            0x86dd,
            ipv6(`2001:db8::9${n}`, '2001:db8::1', udp(1, 2, Buffer.alloc(3))),
          );
        const said = await told();
        assert.deepEqual(
          said.filter((one) => one.startsWith('learnt')),
          [1, 2, 3, 4].map((n) => `learnt any 2001:db8::9${n}`),
        );
        assert.equal(learner.lessons.length, 5);
        assert.deepEqual(await elements('learned_arp'), [{ concat: ['any', ANY, ANY, '10.0.0.9'] }]);
      });

      test('any: a lease takes the place of what a packet taught', async () => {
        await start();
        from('any', ANY, LEARN.unknown, 0x0806, arp(ANY, '10.0.0.9', '10.0.0.254'));
        await told();
        assert.deepEqual(await leased('any', ANY, '10.0.0.8'), [
          'forgotten any 10.0.0.9 another one took its place',
          'learnt any 10.0.0.8 600s',
        ]);
        assert.equal((await elements('learned_ip')).length, 1);
      });

      test('any: what nobody may have, what is not the sender’s, and who may not learn so', async () => {
        await start({ reserved: ['10.0.0.254', '2001:db8:ffff::/48'] });
        const unknown = (protocol: number, packet: Uint8Array, ifname = 'any', mac: string = ANY) => {
          from(ifname, mac, LEARN.unknown, protocol, packet);
          time += 6000;
          return told();
        };
        const ip = (source: string) => ipv4(source, '10.0.0.254', udp(1, 2, Buffer.alloc(3)));
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.2')), [
          'refused any 10.0.0.2 it belongs to VM two',
        ]);
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.254')), ['refused any 10.0.0.254 it is reserved']);
        assert.deepEqual(await unknown(0x86dd, ipv6('2001:db8:ffff::1', '::1', udp(1, 2, Buffer.alloc(1)))), [
          'refused any 2001:db8:ffff::1 it is reserved',
        ]);
        assert.deepEqual(await unknown(0x86dd, ipv6('fe80::1', 'ff02::1', udp(1, 2, Buffer.alloc(1)))), [
          'refused any fe80::1 linkLocal says which link-local addresses it has',
        ]);
        assert.match((await unknown(0x0800, ip('224.0.0.1')))[0] ?? '', /^refused any 224.0.0.1 multicast/);
        assert.match((await unknown(0x0800, ip('127.0.0.1')))[0] ?? '', /^refused any 127.0.0.1 loopback/);
        assert.deepEqual(
          await unknown(0x0806, arp(TWO, '10.0.0.9', '10.0.0.254')),
          [],
          'another sender in ARP',
        );
        assert.deepEqual(await unknown(0x0806, arp(ANY, '0.0.0.0', '10.0.0.9')), [], 'a probe');
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.9'), 'any', TWO), [], 'another MAC');
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.9'), 'one', ONE), [], 'learns from servers alone');
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.9'), 'two', TWO), [], 'learns nothing');
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.9'), 'gone', TWO), [], 'no port');
        await leased();
        assert.deepEqual(await unknown(0x0800, ip('10.0.0.7')), [
          'refused any 10.0.0.7 one has learnt it before',
        ]);
      });

      test('a restart finds what is in the kernel; apply leaves it alone', async () => {
        await start();
        await leased();
        from('any', ANY, LEARN.unknown, 0x0806, arp(ANY, '10.0.0.9', '10.0.0.254'));
        await told();
        await end();
        time += 100_000;
        const { changed } = await apply(nft, firewall.rendering());
        assert.equal(changed, false, 'no drift');
        await start();
        assert.deepEqual(await told(), []);
        assert.deepEqual(
          learner.lessons
            .map(({ ifname, address, by, until }) => [ifname, address.text, by, until - time])
            .sort(),
          [
            ['any', '10.0.0.9', 'any', Number.POSITIVE_INFINITY],
            ['one', '10.0.0.7', 'dhcp', 500_000],
          ],
        );
        assert.deepEqual(await leased(), ['renewed one 10.0.0.7 600s']);
      });

      test('what a VM may not have any more is taken from it', async () => {
        await start();
        await leased();
        const change = async (vms: Record<string, unknown>) => {
          const step = firewall.change(vms);
          if (step.commands.length > 0) await nft.commit([...step.commands]);
          await learner.take(firewall, Object.keys(vms));
          return told();
        };
        const two = (ipv4: string[]) => ({ nics: [nic('two', TWO, { ipv4 })] });
        assert.deepEqual(await change({ two: two(['10.0.0.7/32']) }), [
          'forgotten one 10.0.0.7 it belongs to VM two',
        ]);
        assert.deepEqual(await elements('learned_ip'), []);
        assert.deepEqual(await leased(), ['refused one 10.0.0.7 it belongs to VM two']);
        assert.deepEqual(await change({ two: two([]) }), []);
        assert.deepEqual(await leased(), ['learnt one 10.0.0.7 600s']);
        assert.deepEqual(
          await change({ one: { nics: [nic('one', ONE, { learn: 'dhcp', ipv4: ['10.0.0.7/32'] })] } }),
          ['forgotten one 10.0.0.7 its record has it'],
        );
        assert.deepEqual(await leased(), [], 'its own already');
        await change({ one: records.one });
        await leased();
        assert.deepEqual(await change({ one: undefined }), [
          'forgotten one 10.0.0.7 the port does not learn any more',
        ]);
        assert.deepEqual(await elements('learned_ip'), []);
        const { changed } = await apply(nft, firewall.rendering());
        assert.equal(changed, false);
      });

      test('nobody learns any more: the rules go, and come back', async () => {
        await start();
        await leased();
        for (const vms of [
          { one: undefined, any: undefined },
          { one: records.one, any: records.any },
        ]) {
          const step = firewall.change(vms);
          await nft.commit([...step.commands]);
          await learner.take(firewall, Object.keys(vms));
          const { changed } = await apply(nft, firewall.rendering());
          assert.equal(changed, false);
        }
        assert.deepEqual(await told(), ['forgotten one 10.0.0.7 nobody learns any more']);
        assert.deepEqual(await leased(), ['learnt one 10.0.0.7 600s']);
      });

      test('rules that were flushed and put back have what was learnt again', async () => {
        await start();
        await leased();
        time += 100_000;
        await nft.commit([{ flush: { ruleset: null } }]);
        await apply(nft, firewall.rendering());
        await learner.take(firewall);
        assert.deepEqual(await told(), []);
        assert.equal(
          ((await elements('learned_ip')) as [{ elem: { expires: number } }])[0].elem.expires,
          500,
        );
      });

      test('a stranger’s element in the kernel goes; a first packet is forgotten with its port', async () => {
        await start();
        from('any', ANY, LEARN.unknown, 0x0806, arp(ANY, '10.0.0.9', '10.0.0.254'));
        await told();
        await end();
        const element = {
          family,
          table: 'uncloud',
          name: 'learned_ip',
          elem: [{ concat: ['two', TWO, '10.0.0.66'] }],
        };
        await nft.commit([{ add: { element: element as never } }]);
        listen();
        await learner.take(firewall);
        assert.deepEqual(await elements('learned_ip'), [{ concat: ['any', ANY, '10.0.0.9'] }]);
      });

      test('an overrun is told; a transaction that fails teaches nothing, and the next one does', async () => {
        await start();
        kernel.overrun();
        assert.deepEqual(await told(), ['overrun']);
        kernel.failNext({ code: 'ENOMEM' });
        assert.match((await leased())[0] ?? '', /^failed .*ENOMEM/);
        assert.deepEqual(learner.lessons, []);
        assert.deepEqual(await leased(), ['learnt one 10.0.0.7 600s']);
      });

      test('a NIC with a filter: what it learns is $IP', async () => {
        const filtered = { nics: [nic('one', ONE, { learn: 'any', filter: 'clean-traffic' })] };
        await start(undefined, { one: filtered });
        assert.deepEqual(await leased(), ['learnt one 10.0.0.7 600s']);
        const timed = (concat: unknown[]) => [{ elem: { val: { concat }, timeout: 600, expires: 600 } }];
        assert.deepEqual(await elements('learned_var_IP_ip_saddr'), timed(['one', '10.0.0.7']));
        assert.deepEqual(await elements('learned_var_IP_arp_saddr_ip'), timed(['one', '10.0.0.7']));
        assert.equal((await apply(nft, firewall.rendering())).changed, false);
      });
    });
  }
}
