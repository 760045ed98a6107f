import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { hostTable } from './host-table.ts';
import { named } from './named.ts';
import { readNumber } from './number.ts';

const iproute2 = (file: string) => [`/etc/iproute2/${file}`, `/usr/share/iproute2/${file}`];

/** A packet's or a connection's mark; names come from iproute2's `rt_marks`. */
export const mark: Datatype = named({
  name: 'mark',
  id: 19,
  table: hostTable(iproute2('rt_marks')),
  source: '/etc/iproute2/rt_marks',
  hexDigits: 8,
});

/** A routing realm; names come from iproute2's `rt_realms`. */
export const realm: Datatype = named({
  name: 'realm',
  id: 22,
  table: hostTable(iproute2('rt_realms')),
  source: '/etc/iproute2/rt_realms',
  plain: String,
});

/** The group of an interface; names come from iproute2's `group`. */
export const devgroup: Datatype = named({
  name: 'devgroup',
  id: 35,
  table: hostTable(iproute2('group')),
  source: '/etc/iproute2/group',
});

const handlePattern = /^([0-9a-fA-F]{0,4}):([0-9a-fA-F]{0,4})$/;
const unspecified = 0n;
const root = 0xffffffffn;

/** A traffic control class: `major:minor`, both hexadecimal, or `root` or `none`. */
export const classid: Datatype = Object.freeze({
  name: 'classid',
  id: 23,
  bits: 32,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal) {
    if (literal === 'none') return unspecified;
    if (literal === 'root') return root;
    const parts = typeof literal === 'string' ? handlePattern.exec(literal) : null;
    if (parts !== null) return BigInt(`0x${parts[1] || 0}`) * 0x10000n + BigInt(`0x${parts[2] || 0}`);
    const number = readNumber(literal);
    if (number !== undefined && number <= root) return number;
    throw new DatatypeError(
      'classid',
      literal,
      'major:minor, each of up to four hexadecimal digits, or root or none',
    );
  },
  format(value: bigint) {
    if (value === unspecified) return 'none';
    if (value === root) return 'root';
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  },
});
