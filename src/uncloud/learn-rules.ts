import {
  accept,
  and,
  ether,
  ip,
  ip6,
  jump,
  log,
  meta,
  payload,
  return_,
  type Statement,
  set,
  udp,
} from '../index.ts';
import type { Host } from './host.ts';
import {
  arpSender,
  client,
  clientOut,
  inPort,
  ip6Source,
  ipSource,
  learnedSet,
  learner,
  outPort,
  source,
} from './key.ts';
import { DHCP_CLIENT, DHCP_SERVER } from './learn/dhcp4.ts';
import { DHCP6_CLIENT, DHCP6_SERVER } from './learn/dhcp6.ts';
import { LEARNING } from './learn/learning.ts';
import { blockSet } from './peer.ts';
import type { Key, TableWriter } from './table.ts';

type Body = readonly Statement[];

/** What logged packets begin with: a client's message, a server's, a packet from an address that is not known. */
export const LEARN = {
  asked: 'uncloud learn asked',
  answered: 'uncloud learn answered',
  unknown: 'uncloud learn unknown',
} as const;

/** Bytes of a packet that are looked at: a whole frame. */
export const LOGGED = 2048;
/** How much of one port's is logged, both ways together: far more than clients need, and no flood. */
const MOST = { rate: 10, per: 'second', burst: 30 } as const;

const UDP = 17;
const BOOTREPLY = 2;
/** Of a DHCP message, behind the UDP header: who sent it. */
const op = payload.raw('th', 64, 8);

const whole = () => and(ip['frag-off'], 0x3fff).eq(0);

/** Logs, and goes on. */
function logging(table: TableWriter, { learning = LEARNING }: Host, prefix: string, port: Key): Body[] {
  const { group } = learning;
  return [[table.limited('learn_limits', port, MOST), log({ group, snaplen: LOGGED, prefix })]];
}

/** The chains that log, where a port learns. */
export function learnChains(table: TableWriter, host: Host): void {
  if (table.size('learn') === 0) return;
  table.chain('learn_asked', logging(table, host, LEARN.asked, inPort.key));
  table.chain('learn_answered', logging(table, host, LEARN.answered, outPort));
  if (table.size('learn_any') > 0)
    table.chain('learn_unknown', logging(table, host, LEARN.unknown, inPort.key));
}

/** Logs what a DHCP client asks for; goes before what lets it pass. Says nothing of fragments. */
export function asked(table: TableWriter, family: 'ip' | 'ip6'): Body {
  const [from, server] = family === 'ip' ? [DHCP_CLIENT, DHCP_SERVER] : [DHCP6_CLIENT, DHCP6_SERVER];
  const learns = family === 'ip' ? table.among(client.name, client.key) : table.among('learn', inPort.key);
  return [udp.sport.eq(from), udp.dport.eq(server), learns, jump('learn_asked')];
}

/** Logs what comes from an address that is none of the port's; goes where nothing lets it pass. */
export function unknown(table: TableWriter): Body {
  return [table.among(source.name, source.key), table.among('learn_any', inPort.key), jump('learn_unknown')];
}

/** The same for ports with a filter, which decides by itself what passes. */
export function learnFiltered(table: TableWriter): Body[] {
  const own = table.among(source.name, source.key);
  const isNot = (field: typeof ipSource, word: 'ip' | 'ip6' | 'arp', length: number): Body[] => [
    ...table
      .lengths(field.name)
      .map((known) => [
        meta.protocol.eq(word),
        table.among(`${field.name}_${known}`, field.key(known)),
        return_(),
      ]),
    [meta.protocol.eq(word), table.learned(learnedSet(field), field.key(length)), return_()],
  ];
  if (table.size('learn') > 0 && table.size('learn_any') > 0) {
    table.chain('learn_filtered', [
      ...isNot(ipSource, 'ip', 32),
      ...isNot(ip6Source, 'ip6', 128),
      ...isNot(arpSender, 'arp', 32),
      [meta.protocol.in(set('ip', 'ip6', 'arp')), jump('learn_unknown')],
    ]);
  }
  return [
    [meta.protocol.eq('ip'), whole(), own, ...asked(table, 'ip')],
    [meta.protocol.eq('ip6'), ip6.nexthdr.eq(UDP), own, ...asked(table, 'ip6')],
    [own, table.among('learn_any', inPort.key), jump('learn_filtered')],
  ];
}

/**
 * Logs what servers answer to VMs, each for the client that it is for, if it comes from where it may: from a server
 * that the host names, or else from behind no port of a VM. At egress nobody knows that: there who reads it does.
 */
export function answers(table: TableWriter, { learning = LEARNING }: Host): Body[] {
  const { servers } = learning;
  const trusted = (family: 'ip' | 'ip6'): Body[] => {
    if (servers === undefined) return [[]];
    const addresses = servers.addresses.filter((text) => text.includes(':') === (family === 'ip6'));
    return [
      ...(servers.macs.length > 0 ? [[ether.saddr.in(set(...(servers.macs as [string])))]] : []),
      ...(addresses.length > 0 ? [[(family === 'ip' ? ip.saddr : ip6.saddr).eq(blockSet(addresses))]] : []),
    ];
  };
  return [
    ...trusted('ip').map((trust) => [
      meta.protocol.eq('ip'),
      whole(),
      udp.sport.eq(DHCP_SERVER),
      udp.dport.eq(DHCP_CLIENT),
      op.eq(BOOTREPLY),
      table.among(client.name, clientOut),
      ...trust,
      jump('learn_answered'),
    ]),
    ...trusted('ip6').map((trust) => [
      meta.protocol.eq('ip6'),
      ip6.nexthdr.eq(UDP),
      udp.sport.eq(DHCP6_SERVER),
      udp.dport.eq(DHCP6_CLIENT),
      table.among(learner.name, learner.key),
      ...trust,
      jump('learn_answered'),
    ]),
  ];
}

/** The same, where the port is known that a frame came in through. */
export function answersFromElsewhere(table: TableWriter, host: Host): Body[] {
  const rules = answers(table, host);
  if (host.learning?.servers !== undefined || table.size('learn') === 0) return rules;
  return [[table.among('ports', inPort.key), accept()], ...rules];
}
