import type { Typed } from '../../bytecode/index.ts';
import { datatype } from '../../datatype/index.ts';
import type { AddressFamily, Expression, QueueFlag, SynproxyFlag } from '../../model/index.ts';
import { familyByNumber } from '../../protocol/index.ts';
import type { StatementReaders } from '../step.ts';
import { Inexpressible, type Term } from '../term.ts';

const DEVICE: Typed = { type: datatype('iface_index'), bits: 32, byteorder: 'host' };
export const PORT: Typed = { type: datatype('inet_service'), bits: 16, byteorder: 'network' };
const QUEUE_NUMBER: Typed = { type: datatype('integer'), bits: 16, byteorder: 'host' };

const ADDRESSES: Readonly<Record<AddressFamily, Typed>> = {
  ip: { type: datatype('ipv4_addr'), bits: 32, byteorder: 'network' },
  ip6: { type: datatype('ipv6_addr'), bits: 128, byteorder: 'network' },
};

/** The type of the addresses of a family. */
export function addressType(family: string | undefined): Typed {
  if (family !== 'ip' && family !== 'ip6') throw new Inexpressible('the family of the address is not known');
  return ADDRESSES[family];
}

/** ip and ip6 by number. */
export function addressFamily(number: number | undefined): AddressFamily | undefined {
  const name = number === undefined ? undefined : familyByNumber(number)?.name;
  return name === 'ip' || name === 'ip6' ? name : undefined;
}

/** The names of the flags that are set: one stands for itself. */
export function flagNames<N extends string>(
  table: Readonly<Record<N, number>>,
  flags: number,
): { readonly flags?: N | N[] } {
  const names = (Object.keys(table) as N[]).filter((name) => flags & table[name]);
  if (names.reduce((sum, name) => sum | table[name], 0) !== flags) throw new Inexpressible('unknown flags');
  const [only] = names;
  if (only === undefined) return {};
  return { flags: names.length === 1 ? only : names };
}

const QUEUE_FLAGS: Readonly<Record<QueueFlag, number>> = { bypass: 1, fanout: 2 };
const SYNPROXY_FLAGS: Readonly<Record<SynproxyFlag, number>> = { timestamp: 8, 'sack-perm': 4 };
const MSS_GIVEN = 1;
const WSCALE_GIVEN = 2;

const present = (terms: readonly (Term | undefined)[]): Term[] => terms.filter((term) => term !== undefined);

/** Where packets go beside the ordinary way. */
export const forwardReaders: StatementReaders = {
  fwd: ({ dev, addr, nfproto }, { registers }) => {
    if (dev === undefined) throw new Inexpressible('no device');
    const device = registers.read(dev);
    const to = addr === undefined ? undefined : registers.read(addr);
    return {
      terms: present([device, to]),
      run: (describer) => {
        const family = addressFamily(nfproto);
        const where =
          to === undefined || family === undefined
            ? {}
            : { family, addr: describer.value(to, addressType(family)) };
        if (to !== undefined && family === undefined) throw new Inexpressible('the family is not known');
        describer.push({ fwd: { dev: describer.value(device, DEVICE), ...where } });
      },
    };
  },
  dup: ({ addr, dev }, { registers }) => {
    const to = addr === undefined ? undefined : registers.read(addr);
    const device = dev === undefined ? undefined : registers.read(dev);
    return {
      terms: present([to, device]),
      run: (describer) => {
        const { family } = describer;
        if (to === undefined && device !== undefined && family === 'netdev') {
          describer.push({ dup: { addr: describer.value(device, DEVICE) } });
          return;
        }
        const network = family === 'ip' || family === 'ip6' ? family : describer.protocols.network;
        describer.push({
          dup: {
            ...(to && { addr: describer.value(to, addressType(network)) }),
            ...(device && { dev: describer.value(device, DEVICE) }),
          },
        });
      },
    };
  },
  tproxy: ({ family: number, addr, port }, { registers }) => {
    const to = addr === undefined ? undefined : registers.read(addr);
    const through = port === undefined ? undefined : registers.read(port);
    return {
      terms: present([to, through]),
      run: (describer) => {
        const family = addressFamily(number);
        const said = family === undefined || family === describer.family ? {} : { family };
        describer.push({
          tproxy: {
            ...said,
            ...(to && { addr: describer.value(to, addressType(family)) }),
            ...(through && { port: describer.value(through, PORT) }),
          },
        });
      },
    };
  },
  queue: ({ num, total, flags = 0, sreg }, { registers }) => {
    const by = sreg === undefined ? undefined : registers.read(sreg);
    const named = flagNames(QUEUE_FLAGS, flags);
    return {
      terms: present([by]),
      run: (describer) => {
        const first = num ?? 0;
        const several: Expression = { range: [first, first + (total ?? 1) - 1] };
        const target = by ? describer.value(by, QUEUE_NUMBER) : (total ?? 1) > 1 ? several : first;
        describer.push({ queue: { num: target, ...named } });
      },
    };
  },
  synproxy: ({ mss = 0, wscale = 0, flags = 0 }) => {
    const named = flagNames(SYNPROXY_FLAGS, flags & ~(MSS_GIVEN | WSCALE_GIVEN));
    const given = {
      ...(flags & MSS_GIVEN ? { mss } : {}),
      ...(flags & WSCALE_GIVEN ? { wscale } : {}),
      ...(named.flags === undefined ? {} : { flags: [named.flags].flat() }),
    };
    const synproxy = Object.keys(given).length === 0 ? null : given;
    return { terms: [], run: (describer) => void describer.push({ synproxy }) };
  },
  flow_offload: ({ table }) => ({
    terms: [],
    run: (describer) => void describer.push({ flow: { op: 'add', flowtable: `@${table}` } }),
  }),
  notrack: () => ({ terms: [], run: (describer) => void describer.push({ notrack: null }) }),
};
