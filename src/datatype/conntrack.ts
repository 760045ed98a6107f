import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { hostTable } from './host-table.ts';
import { formatHex, readNumber } from './number.ts';
import { quote } from './strings.ts';
import { symbolic } from './symbolic.ts';

/** The state of a connection as the packet sees it: one bit a state. */
export const ctState: Datatype = symbolic({
  name: 'ct_state',
  id: 26,
  bits: 32,
  byteorder: 'host',
  base: 'bitmask',
  hexDigits: 1,
  symbols: { invalid: 1, new: 8, established: 2, related: 4, untracked: 64 },
});

/** The direction of a packet in its connection. */
export const ctDir: Datatype = symbolic({
  name: 'ct_dir',
  id: 27,
  bits: 8,
  byteorder: 'host',
  symbols: { original: 0, reply: 1 },
});

/** What has happened to a connection (`IPS_*`): one bit each. */
export const ctStatus: Datatype = symbolic({
  name: 'ct_status',
  id: 28,
  bits: 32,
  byteorder: 'host',
  base: 'bitmask',
  hexDigits: 1,
  symbols: {
    expected: 1 << 0,
    'seen-reply': 1 << 1,
    assured: 1 << 2,
    confirmed: 1 << 3,
    snat: 1 << 4,
    dnat: 1 << 5,
    dying: 1 << 9,
  },
});

/** What a connection reports to listeners (`IPCT_*`): one bit each. */
export const ctEvent: Datatype = symbolic({
  name: 'ct_event',
  id: 40,
  bits: 32,
  byteorder: 'host',
  base: 'bitmask',
  hexDigits: 1,
  symbols: {
    new: 1 << 0,
    related: 1 << 1,
    destroy: 1 << 2,
    reply: 1 << 3,
    assured: 1 << 4,
    protoinfo: 1 << 5,
    helper: 1 << 6,
    mark: 1 << 7,
    seqadj: 1 << 8,
    secmark: 1 << 9,
    label: 1 << 10,
  },
});

const labelBits = 128;
const wholeMask = /^0x[0-9a-f]{32}$/;
const labels = hostTable(['/etc/xtables/connlabel.conf', '/etc/connlabel.conf'], ([number = '', name]) => {
  const bit = readNumber(number);
  return bit === undefined || bit >= labelBits || name === undefined ? undefined : [name, bit];
});

/** The number of the bit that is set, or undefined when it is not exactly one. */
function onlyBit(value: bigint): number | undefined {
  return value !== 0n && (value & (value - 1n)) === 0n ? value.toString(2).length - 1 : undefined;
}

/**
 * A connection's labels: 128 bits, each set by its name in `connlabel.conf` or by its number. A value
 * that is not a single label is 32 hexadecimal digits.
 */
export const ctLabel: Datatype = Object.freeze({
  name: 'ct_label',
  id: 30,
  bits: labelBits,
  byteorder: 'host',
  base: 'bitmask',
  get symbols() {
    return new Map([...labels.symbols()].map(([name, bit]) => [name, 1n << bit]));
  },
  parse(literal: Literal) {
    if (typeof literal === 'string' && wholeMask.test(literal)) return BigInt(literal);
    const bit =
      (typeof literal === 'string' ? labels.symbols().get(literal) : undefined) ?? readNumber(literal);
    if (bit !== undefined && bit < labelBits) return 1n << bit;
    throw new DatatypeError(
      'ct_label',
      literal,
      `a bit from 0 to ${labelBits - 1}, or a label's name from connlabel.conf`,
    );
  },
  format(value: bigint) {
    const bit = onlyBit(value);
    return bit === undefined ? formatHex(value, labelBits / 4) : (labels.nameOf(BigInt(bit)) ?? bit);
  },
  formatText(value: bigint) {
    const bit = onlyBit(value);
    if (bit === undefined) return formatHex(value, labelBits / 4);
    const name = labels.nameOf(BigInt(bit));
    return name === undefined ? String(bit) : quote(name);
  },
} satisfies Datatype);
