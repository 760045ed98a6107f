import ipaddr from 'ipaddr.js';
import {
  address,
  announcement,
  arp,
  authentication,
  concat,
  destinationOptions,
  dhcp,
  dhcpv6,
  ethernet,
  fragment,
  hopByHop,
  icmp,
  icmpv6,
  igmp,
  ipv4,
  ipv6,
  type Layer,
  llc,
  mldV2Report,
  multicastMac,
  type Packet,
  raw,
  routerAdvertisement,
  routerSolicitation,
  routing,
  slice,
  snap,
  type Tag,
  tcp,
  udp,
  zeros,
} from '../../support/frames/packet/index.ts';
import type { NicRecord } from '../../support/reference/index.ts';
import { number } from '../../support/reference/port.ts';
import type { Random } from './random.ts';
import { bridgeMacs } from './scene.ts';

const LONGEST = 1514;
const SHORTEST = 18;

/** Who sends, and who else there is to be impersonated. */
export interface Cast {
  /** Absent: whoever is behind an uplink or on no VM's port. */
  readonly own?: NicRecord;
  readonly all: readonly NicRecord[];
}

function inside(random: Random, block: string): string {
  const [head = '', length = '128'] = block.split('/');
  const bytes = address(head);
  const noise = random.bytes(bytes.length);
  for (let bit = Number(length); bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! |= noise[bit >> 3]! & (0x80 >> (bit & 7));
  }
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** The address right before or behind a block. */
function beside(random: Random, block: string): string {
  const [head = '', length = '128'] = block.split('/');
  const bytes = address(head);
  const width = BigInt(bytes.length * 8);
  const size = 1n << (width - BigInt(length));
  const value = (number(bytes) + (random.percent(50) ? size : -1n) + (1n << width)) % (1n << width);
  const hex = value.toString(16).padStart(bytes.length * 2, '0');
  return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString();
}

function eui64(mac: string): string {
  const id = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const bytes = [
    0xfe,
    0x80,
    0,
    0,
    0,
    0,
    0,
    0,
    id[0]! ^ 2,
    id[1]!,
    id[2]!,
    0xff,
    0xfe,
    id[3]!,
    id[4]!,
    id[5]!,
  ];
  return ipaddr.fromByteArray(bytes).toString();
}

const blocks6 = (nic: NicRecord): string[] => [
  ...(nic.ipv6 ?? []),
  `${eui64(nic.mac)}/128`,
  ...(Array.isArray(nic.linkLocal) ? nic.linkLocal.map((each) => `${each}/128`) : []),
  ...(nic.linkLocal === 'any' ? ['fe80::/64'] : []),
];

/** Makes one random frame of a cast: most of it right, somewhere wrong. */
export class FrameMaker {
  readonly #random: Random;
  readonly #cast: Cast;

  constructor(random: Random, cast: Cast) {
    this.#random = random;
    this.#cast = cast;
  }

  frame(): Buffer {
    const random = this.#random;
    const ends = { src: this.#mac(), dst: this.#destination() };
    const packet = this.#packet();
    const whole = random.percent(4)
      ? random.percent(50)
        ? snap(ends, { ...packet, bytes: packet.bytes.subarray(0, 1400) })
        : llc(ends, random.bytes(40), random.pick([0x42, 0xaa, 0xe0, 0xff]))
      : ethernet(ends, packet, random.percent(this.#cast.own?.vlans ? 30 : 4) ? this.#tags() : []);
    return this.#mutated(whole.subarray(0, LONGEST));
  }

  #mutated(frame: Buffer): Buffer {
    const random = this.#random;
    let result: Buffer = Buffer.from(frame);
    if (random.percent(25)) {
      for (let count = 1 + random.below(3); count > 0; count--) {
        const at = random.percent(5) ? random.below(12) : 12 + random.below(Math.min(90, result.length - 12));
        result[at] = random.percent(50) ? random.below(256) : result[at]! ^ (1 << random.below(8));
      }
      // A group as the source is for the bridge to drop.
      if (((result[6] ?? 0) & 1) === 1) result[6] = 2;
    }
    if (random.percent(4)) result = result.subarray(0, SHORTEST + random.below(result.length - SHORTEST + 1));
    if (random.percent(5)) result = concat(result, random.bytes(random.below(80))).subarray(0, LONGEST);
    return result;
  }

  #mac(): string {
    const { own, all } = this.#cast;
    return this.#random.weighted([
      [own ? 88 : 0, own?.mac ?? ''],
      [6, all.length > 0 ? this.#random.pick(all).mac : '02:00:00:00:00:99'],
      [2, bridgeMacs.br100],
      [2, '02:00:00:00:00:01'],
    ]);
  }

  #destination(): string {
    const { all } = this.#cast;
    return this.#random.weighted([
      [40, 'ff:ff:ff:ff:ff:ff'],
      [20, multicastMac('ff02::1')],
      [5, '01:00:5e:00:00:fb'],
      [20, all.length > 0 ? this.#random.pick(all).mac : 'ff:ff:ff:ff:ff:ff'],
      [8, '02:00:00:00:77:01'],
      [1, bridgeMacs.br200],
    ]);
  }

  #tags(): Tag[] {
    const random = this.#random;
    return Array.from(
      {
        length: random.weighted([
          [6, 1],
          [1, 2],
          [1, 3],
        ]),
      },
      () => ({
        vid: random.pick([0, 0, 1, 5, 5, 7, 4094]),
        pcp: random.below(8),
        tpid: random.pick([0x8100, 0x8100, 0x88a8, 0x9100]),
      }),
    );
  }

  #address4(): string {
    const random = this.#random;
    const own = this.#cast.own?.ipv4 ?? [];
    const all = this.#cast.all.flatMap(({ ipv4 = [] }) => ipv4);
    return random.weighted<() => string>([
      [own.length > 0 ? 70 : 0, () => inside(random, random.pick(own))],
      [own.length > 0 ? 6 : 0, () => beside(random, random.pick(own))],
      [all.length > 0 ? 8 : 0, () => inside(random, random.pick(all))],
      [10, () => '0.0.0.0'],
      [2, () => random.pick(['255.255.255.255', '224.0.0.1', '127.0.0.1', '169.254.3.4'])],
      [2, () => inside(random, '0.0.0.0/0')],
    ])();
  }

  #address6(): string {
    const random = this.#random;
    const own = this.#cast.own ? blocks6(this.#cast.own) : [];
    const all = this.#cast.all.flatMap(blocks6);
    return random.weighted<() => string>([
      [own.length > 0 ? 72 : 0, () => inside(random, random.pick(own))],
      [own.length > 0 ? 6 : 0, () => beside(random, random.pick(own))],
      [all.length > 0 ? 8 : 0, () => inside(random, random.pick(all))],
      [10, () => '::'],
      [2, () => random.pick(['ff02::1', '::1', '::ffff:10.0.0.1', 'fe80::1', 'fec0::1'])],
      [2, () => inside(random, '::/0')],
    ])();
  }

  #packet(): Packet {
    return this.#random.weighted<() => Packet>([
      [15, () => this.#arp()],
      [4, () => this.#rarp()],
      [30, () => this.#ipv4()],
      [50, () => this.#ipv6()],
      [
        3,
        () => ({
          ethertype: this.#random.pick([0x88cc, 0x8863, 0x8864, 0x8847, 0x888e, 0x0801, 0x86de, 0]),
          bytes: this.#random.bytes(60),
        }),
      ],
    ])();
  }

  #arp(): Packet {
    const random = this.#random;
    return arp({
      op: random.weighted([
        [45, 1],
        [45, 2],
        [10, random.below(12)],
      ]),
      sha: this.#mac(),
      spa: this.#address4(),
      tha: random.percent(50) ? this.#mac() : '00:00:00:00:00:00',
      tpa: this.#address4(),
      ...(random.percent(3) && { htype: random.below(8) }),
      ...(random.percent(3) && { ptype: 0x86dd }),
      ...(random.percent(3) && { hlen: random.below(9) }),
      ...(random.percent(3) && { plen: random.below(17) }),
    });
  }

  #rarp(): Packet {
    const random = this.#random;
    const mac = this.#mac();
    return announcement(mac, {
      ...(random.percent(10) && { op: 1 + random.below(5) }),
      ...(random.percent(10) && { tha: this.#mac() }),
      ...(random.percent(10) && { spa: this.#address4() }),
      ...(random.percent(10) && { tpa: this.#address4() }),
    });
  }

  #port(): number {
    return this.#random.pick([67, 67, 68, 68, 53, 547, 547, 546, 5000, this.#random.below(65536)]);
  }

  #udp(): Layer {
    return udp(this.#port(), this.#port(), this.#random.bytes(this.#random.below(60)));
  }

  #ipv4(): Packet {
    const random = this.#random;
    const src = this.#address4();
    const dst = random.percent(40) ? '255.255.255.255' : this.#address4();
    const layer = random.weighted<() => Layer>([
      [35, () => this.#udp()],
      [src === '0.0.0.0' ? 60 : 5, () => dhcp(random.percent(70) ? 'discover' : 'offer', this.#mac())],
      [10, () => tcp(this.#port(), this.#port())],
      [10, () => icmp(random.below(20))],
      [15, () => igmp(random.pick([0x11, 0x11, 0x12, 0x16, 0x17, 0x22]), address('239.1.2.3'))],
      [5, () => raw(random.pick([17, 2, 6]), random.bytes(random.below(9)))],
      [5, () => raw(random.below(256), random.bytes(random.below(40)))],
    ])();
    const [offset, moreFragments] = random.weighted<[number, boolean]>([
      [75, [0, false]],
      [10, [0, true]],
      [10, [1 + random.below(20), random.percent(50)]],
      [5, [random.below(0x2000), false]],
    ]);
    const options = random.percent(15) ? concat(zeros(4 * random.below(11))) : zeros(0);
    return ipv4({ src, dst, offset, moreFragments, options }, layer);
  }

  #ipv6(): Packet {
    const random = this.#random;
    const src = this.#address6();
    let layer = this.#upper6(src);
    if (random.percent(src === '::' ? 15 : 40)) layer = this.#extended(layer);
    return ipv6({ src, dst: random.percent(50) ? 'ff02::1' : this.#address6() }, layer);
  }

  /** Up to four extension headers; among them a fragment that may end anywhere. */
  #extended(inner: Layer): Layer {
    const random = this.#random;
    let layer = inner;
    for (let count = 1 + random.below(random.percent(60) ? 1 : 4); count > 0; count--) {
      const next = layer;
      layer = random.weighted<() => Layer>([
        [15, () => hopByHop(next)],
        [15, () => destinationOptions(next)],
        [10, () => destinationOptions(next, zeros(6 + 8 * random.below(12)))],
        [10, () => routing(next)],
        [10, () => authentication(next)],
        [10, () => fragment(next)],
        [
          30,
          () =>
            fragment(random.percent(50) ? next : slice(next, 0, 8 * random.below(20)), {
              moreFragments: true,
            }),
        ],
        [10, () => fragment(next, { offset: 1 + random.below(200), moreFragments: random.percent(50) })],
      ])();
    }
    return layer;
  }

  #linkLayer(): Buffer {
    const random = this.#random;
    const head = random.weighted([
      [40, [1, 1]],
      [40, [2, 1]],
      [10, [14, 1]],
      [10, [random.below(30), random.below(3)]],
    ]);
    return concat(Buffer.from(head), Buffer.from(this.#mac().replaceAll(':', ''), 'hex'));
  }

  /** A neighbour solicitation or advertisement, as it should be but for something. */
  #discovery(src: string): Layer {
    const random = this.#random;
    const type = random.pick([135, 136]);
    const options = Array.from(
      {
        length: random.weighted([
          [25, 0],
          [65, 1],
          [10, 2],
        ]),
      },
      () =>
        random.percent(70)
          ? concat(
              Buffer.from([src === '::' ? 14 : type - 134, 1]),
              Buffer.from(this.#mac().replaceAll(':', ''), 'hex'),
            )
          : this.#linkLayer(),
    );
    const flags = type === 136 && random.percent(80) ? random.pick([0x20, 0x40, 0x60]) : random.below(256);
    const head = concat(Buffer.from([flags, 0, 0, 0]), address(this.#address6()));
    return icmpv6(type, concat(head, ...options));
  }

  #upper6(src: string): Layer {
    const random = this.#random;
    return random.weighted<() => Layer>([
      [20, () => this.#udp()],
      [5, () => dhcpv6(random.percent(50) ? 'solicit' : 'advertise')],
      [10, () => tcp(this.#port(), this.#port())],
      [40, () => this.#discovery(src)],
      [8, () => routerAdvertisement('2001:db8::', ...(random.percent(30) ? [this.#linkLayer()] : []))],
      [8, () => routerSolicitation(...(random.percent(30) ? [this.#linkLayer()] : []))],
      [
        6,
        () => {
          const report = mldV2Report('ff02::fb');
          return random.percent(70) ? hopByHop(report, Buffer.from([5, 2, 0, 0])) : report;
        },
      ],
      [
        15,
        () =>
          icmpv6(
            random.pick([
              128,
              129,
              130,
              131,
              132,
              137,
              138,
              143,
              144,
              148,
              149,
              150,
              151,
              1,
              2,
              random.below(256),
            ]),
            random.bytes(4 + random.below(40)),
          ),
      ],
      [4, () => raw(random.pick([17, 58, 6]), random.bytes(random.below(9)))],
      [6, () => raw(random.below(256), random.bytes(random.below(60)))],
    ])();
  }
}
