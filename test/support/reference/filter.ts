import ipaddr from 'ipaddr.js';
import { fromVm, type HostRecord } from './index.ts';
import { packetOf } from './packet.ts';
import { type NicRecord, number, ownBlocks, portModel } from './port.ts';
import { accept, drop, either, type Verdict } from './verdict.ts';

type Direction = 'in' | 'out';
type Value = string | number;
type Wanted = Value | readonly Value[];

export type FilterRuleRecord =
  | { readonly filter: string }
  | {
      readonly direction: Direction | 'inout';
      readonly action: 'accept' | 'drop' | 'return' | 'continue';
      readonly match?: Readonly<Record<string, Wanted | { readonly not: Wanted }>>;
    };

export interface FilterRecord {
  readonly rules: readonly FilterRuleRecord[];
}

/** A field of a frame; not there; or there in a header that nobody could read to the end. */
type Field = string | bigint | undefined | 'unknown';
/** `on`: to what comes behind the filter. */
type Outcome = 'accept' | 'drop' | 'unknown' | 'on';

const [IP, ARP, RARP, IP6] = [0x0800, 0x0806, 0x8035, 0x86dd];
const [TCP, UDP] = [6, 17];
const BROADCAST = 'ff:ff:ff:ff:ff:ff';

const mac = (bytes: Buffer): string => bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');

/** Where fields are in the header of an Ethernet type: their first byte, their length. */
const LAYOUT: Readonly<Record<string, readonly [type: number, at: number, length: number]>> = {
  'arp.operation': [ARP, 6, 2],
  'arp.saddr.ether': [ARP, 8, 6],
  'arp.saddr.ip': [ARP, 14, 4],
  'arp.daddr.ether': [ARP, 18, 6],
  'arp.daddr.ip': [ARP, 24, 4],
  'rarp.operation': [RARP, 6, 2],
  'rarp.saddr.ether': [RARP, 8, 6],
  'rarp.saddr.ip': [RARP, 14, 4],
  'rarp.daddr.ether': [RARP, 18, 6],
  'rarp.daddr.ip': [RARP, 24, 4],
  'ip.protocol': [IP, 9, 1],
  'ip.saddr': [IP, 12, 4],
  'ip.daddr': [IP, 16, 4],
  'ip6.nexthdr': [IP6, 6, 1],
  'ip6.saddr': [IP6, 8, 16],
  'ip6.daddr': [IP6, 24, 16],
};
const PORTS: Readonly<Record<string, readonly [protocol: number, at: number]>> = {
  'tcp.sport': [TCP, 0],
  'tcp.dport': [TCP, 2],
  'udp.sport': [UDP, 0],
  'udp.dport': [UDP, 2],
};

/**
 * What a frame has in a field. The Ethernet type is the first one: tags are not looked behind for it. IP and ARP are
 * found behind one tag as well, as the kernel has taken it off by then.
 */
function fieldOf(frame: Buffer, name: string): Field {
  if (name === 'ether.daddr') return mac(frame.subarray(0, 6));
  if (name === 'ether.saddr') return mac(frame.subarray(6, 12));
  const type = frame.readUInt16BE(12);
  if (name === 'ether.type') return BigInt(type);
  const place = LAYOUT[name];
  if (place) {
    const isTagged = place[0] !== RARP && frame.length >= 18 && [0x8100, 0x88a8].includes(type);
    const [found, start] = isTagged ? [frame.readUInt16BE(16), 18] : [type, 14];
    if (found !== place[0]) return undefined;
    const bytes = frame.subarray(start + place[1], start + place[1] + place[2]);
    if (bytes.length < place[2]) return 'unknown';
    return name.endsWith('.ether') ? mac(bytes) : number(bytes);
  }
  const port = PORTS[name];
  if (!port) throw new Error(`the model knows no ${name}`);
  const { family, protocol, isLater, isNested, upper } = packetOf(frame);
  if (isNested || (isLater && (family === 'ip6' || protocol === port[0]))) return 'unknown';
  if (protocol !== port[0] || isLater) return undefined;
  return upper && upper.length >= 4 ? BigInt(upper.readUInt16BE(port[1])) : 'unknown';
}

const WORDS: Readonly<Record<string, number>> = {
  ip: IP,
  ip6: IP6,
  arp: ARP,
  rarp: RARP,
  vlan: 0x8100,
  request: 1,
  reply: 2,
  tcp: TCP,
  udp: UDP,
};

function isOf(field: string | bigint, value: Value): boolean {
  if (typeof field === 'string') return field === value;
  const text = String(value);
  if (text in WORDS) return field === BigInt(WORDS[text] as number);
  if (!/[.:]/.test(text)) {
    const [first = 0, last = first] = text.split('-').map(Number);
    return field >= first && field <= last;
  }
  const [head = '', length] = text.split('/');
  const bytes = Buffer.from(ipaddr.parse(head).toByteArray());
  const rest = length === undefined ? 0n : BigInt(bytes.length * 8 - Number(length));
  return field >> rest === number(bytes) >> rest;
}

/** One NIC, one frame, one direction. */
class Judgement {
  readonly #host: HostRecord;
  readonly #nic: NicRecord;
  readonly #filters: Readonly<Record<string, FilterRecord>>;
  readonly #direction: Direction;
  readonly #frame: Buffer;

  constructor(
    host: HostRecord,
    nic: NicRecord,
    filters: Readonly<Record<string, FilterRecord>>,
    direction: Direction,
    frame: Buffer,
  ) {
    this.#host = host;
    this.#nic = nic;
    this.#filters = filters;
    this.#direction = direction;
    this.#frame = frame;
  }

  by(name: string): Outcome {
    if (name === 'port-security') return this.#secured();
    const own = this.#filters[name];
    return own ? this.#ruled(own) : this.#named(name);
  }

  #secured(): Outcome {
    if (this.#direction === 'in') return 'on';
    const { decision } = fromVm(portModel(this.#host, this.#nic), this.#frame);
    return decision === 'either' ? 'unknown' : decision;
  }

  #ruled({ rules }: FilterRecord): Outcome {
    for (const rule of rules) {
      if ('filter' in rule) {
        const outcome = this.by(rule.filter);
        if (outcome !== 'on') return outcome;
        continue;
      }
      if (rule.direction !== 'inout' && rule.direction !== this.#direction) continue;
      const answers = Object.entries(rule.match ?? {}).map(([field, wanted]) => this.is(field, wanted));
      if (answers.includes(false)) continue;
      if (answers.includes('unknown')) return 'unknown';
      if (rule.action === 'return') return 'on';
      if (rule.action !== 'continue') return rule.action;
    }
    return 'on';
  }

  /** Whether the frame has in a field what is wanted: a frame without the field has neither that nor anything else. */
  is(name: string, wanted: Wanted | { readonly not: Wanted }): boolean | 'unknown' {
    const field = fieldOf(this.#frame, name);
    if (field === undefined || field === 'unknown') return field ?? false;
    const isNot = typeof wanted === 'object' && 'not' in wanted;
    const values = this.#values(isNot ? wanted.not : (wanted as Wanted));
    return values.some((value) => isOf(field, value)) !== isNot;
  }

  #values(wanted: Wanted): readonly Value[] {
    if (typeof wanted !== 'string' || !wanted.startsWith('$')) return [wanted].flat() as Value[];
    const blocks = ownBlocks(this.#nic);
    switch (wanted) {
      case '$MAC':
        return [this.#nic.mac];
      case '$IP':
        return blocks.filter((text) => !text.includes(':'));
      case '$IPV6':
        return blocks.filter((text) => text.includes(':'));
      default:
        return this.#nic.variables?.[wanted.slice(1)] ?? [];
    }
  }

  /** All of it; undefined where that hangs on what nobody could read. */
  #all(...wanted: readonly (readonly [field: string, wanted: Wanted])[]): boolean | 'unknown' {
    const answers = wanted.map(([field, value]) => this.is(field, value));
    return answers.includes(false) ? false : answers.includes('unknown') ? 'unknown' : true;
  }

  /** libvirt's filters, as its documentation tells what each is for. */
  #named(name: string): Outcome {
    const isOut = this.#direction === 'out';
    const type = Number(fieldOf(this.#frame, 'ether.type'));
    const to = fieldOf(this.#frame, 'ether.daddr');
    const when = (is: boolean | 'unknown', then: 'accept' | 'drop'): Outcome =>
      is === 'unknown' ? is : is ? then : 'on';
    const unless = (is: boolean | 'unknown'): Outcome => (is === 'unknown' ? is : is ? 'on' : 'drop');
    const oneOf = (...names: readonly string[]): Outcome => {
      for (const each of names) {
        const outcome = this.#named(each);
        if (outcome !== 'on') return outcome;
      }
      return 'on';
    };
    switch (name) {
      case 'allow-arp':
        return when(type === ARP, 'accept');
      case 'allow-ipv4':
        return when(type === IP, 'accept');
      case 'allow-ipv6':
        return when(type === IP6, 'accept');
      case 'allow-incoming-ipv4':
        return when(!isOut && type === IP, 'accept');
      case 'allow-incoming-ipv6':
        return when(!isOut && type === IP6, 'accept');
      case 'allow-dhcp': {
        const asks = [
          ['ip.saddr', '0.0.0.0'],
          ['ip.daddr', '255.255.255.255'],
          ['udp.sport', 68],
          ['udp.dport', 67],
        ] as const;
        const answers = [
          ['ether.type', 'ip'],
          ['udp.sport', 67],
          ['udp.dport', 68],
        ] as const;
        return when(this.#all(...(isOut ? asks : answers)), 'accept');
      }
      case 'allow-dhcpv6': {
        const asks = [
          ['ip6.daddr', 'ff02::1:2'],
          ['udp.sport', 546],
          ['udp.dport', 547],
        ] as const;
        const answers = [
          ['ip6.saddr', 'fe80::/10'],
          ['udp.sport', 547],
          ['udp.dport', 546],
        ] as const;
        return when(this.#all(...(isOut ? asks : answers)), 'accept');
      }
      case 'no-mac-spoofing':
        return isOut ? unless(this.is('ether.saddr', '$MAC')) : 'on';
      case 'no-mac-broadcast':
        return when(isOut && to === BROADCAST, 'drop');
      case 'no-ip-multicast':
        return isOut ? when(this.is('ip.daddr', '224.0.0.0/4'), 'drop') : 'on';
      case 'no-ip-spoofing': {
        if (!isOut || type !== IP) return 'on';
        const asks = this.#all(['ip.saddr', '0.0.0.0'], ['ip.protocol', 'udp']);
        return asks === true ? 'on' : unless(this.is('ip.saddr', '$IP'));
      }
      case 'no-ipv6-spoofing': {
        if (!isOut || type !== IP6) return 'on';
        return this.is('ip6.saddr', ['fe80::/10', '::']) === true
          ? 'on'
          : unless(this.is('ip6.saddr', '$IPV6'));
      }
      case 'no-arp-mac-spoofing':
        return isOut && type === ARP ? unless(this.is('arp.saddr.ether', '$MAC')) : 'on';
      case 'no-arp-ip-spoofing':
        return isOut && type === ARP ? unless(this.is('arp.saddr.ip', '$IP')) : 'on';
      case 'no-arp-spoofing':
        return oneOf('no-arp-mac-spoofing', 'no-arp-ip-spoofing');
      case 'no-other-l2-traffic':
        return 'drop';
      case 'no-other-rarp-traffic':
        return when(type === RARP, 'drop');
      case 'qemu-announce-self-rarp': {
        const announces = this.#all(
          ['ether.daddr', BROADCAST],
          ['rarp.operation', 3],
          ['rarp.saddr.ip', '0.0.0.0'],
          ['rarp.daddr.ip', '0.0.0.0'],
          ...(isOut
            ? ([
                ['rarp.saddr.ether', '$MAC'],
                ['rarp.daddr.ether', '$MAC'],
              ] as const)
            : []),
        );
        return when(announces, 'accept');
      }
      case 'qemu-announce-self':
        return oneOf('qemu-announce-self-rarp', 'no-other-rarp-traffic');
      case 'clean-traffic': {
        const spoofed = oneOf('no-mac-spoofing', 'no-ip-spoofing', 'no-arp-spoofing');
        if (spoofed !== 'on') return spoofed;
        return type === IP || type === ARP ? 'accept' : oneOf('qemu-announce-self', 'no-other-l2-traffic');
      }
      default:
        throw new Error(`the model knows no filter ${name}`);
    }
  }
}

/** What a NIC's filter says of a frame; from a VM, its source MAC is looked at before. What no rule ends passes. */
export function byFilter(
  host: HostRecord,
  nic: NicRecord,
  filters: Readonly<Record<string, FilterRecord>>,
  direction: Direction,
  frame: Buffer,
): Verdict {
  const name = nic.filter ?? 'port-security';
  if (direction === 'out' && mac(frame.subarray(6, 12)) !== nic.mac)
    return drop("source MAC is not the port's");
  const outcome = new Judgement(host, nic, filters, direction, frame).by(name);
  if (outcome === 'unknown') return either(`filter ${name}: cut off`);
  return outcome === 'drop' ? drop(`a filter`) : accept('a filter');
}
