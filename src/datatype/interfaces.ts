import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { readNumber } from './number.ts';
import { scanIfname } from './scan.ts';
import { formatString, parseString, quote } from './strings.ts';

/** IFNAMSIZ, with the closing zero. */
const nameBits = 16 * 8;

/** An interface's name: 1 to 15 bytes, no white space, no slash, not `.` or `..`. */
export const ifname: Datatype = Object.freeze({
  name: 'ifname',
  id: 41,
  bits: nameBits,
  byteorder: 'host',
  base: 'string',
  parse(literal: Literal) {
    if (typeof literal === 'string' && (/[\t-\r /]/.test(literal) || literal === '.' || literal === '..')) {
      throw new DatatypeError('ifname', literal, 'an interface name without slashes or white space');
    }
    return parseString('ifname', literal, nameBits);
  },
  scan: scanIfname,
  format: (value: bigint) => formatString(value, nameBits),
  formatText: (value: bigint) => quote(formatString(value, nameBits)),
});

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The names of the interfaces of the process's network namespace. */
function presentNames(): string[] {
  return readOrEmpty('/proc/self/net/dev')
    .split('\n')
    .slice(2)
    .map((line) => line.slice(0, line.lastIndexOf(':')).trim())
    .filter((name) => name !== '');
}

/**
 * The index of an interface of the process's network namespace. Interfaces without IPv6 are missing in
 * the namespace's own files; for them there is sysfs, which shows the namespace that mounted it, so it is
 * asked last.
 */
function indexOf(name: string): bigint | undefined {
  const snmp = /^ifIndex\s+(\d+)/.exec(readOrEmpty(`/proc/self/net/dev_snmp6/${name}`))?.[1];
  return readNumber(
    snmp ?? (multicastIndices().get(name) || readOrEmpty(`/sys/class/net/${name}/ifindex`).trim()),
  );
}

function multicastIndices(): Map<string, string> {
  const rows = readOrEmpty('/proc/self/net/dev_mcast').matchAll(/^(\d+)\s+(\S+)/gm);
  return new Map([...rows].map(([, index = '', name = '']) => [name, index]));
}

/** The interfaces of a network namespace. */
export interface InterfaceTable {
  readonly indices: ReadonlyMap<string, bigint>;
  readonly names: ReadonlyMap<bigint, string>;
}

/** A network namespace that is not the process's, and its interfaces, once somebody has read them. */
export interface Elsewhere {
  table?: InterfaceTable;
  /** An index was met that the table does not have. */
  missed?: boolean;
}

/** An interface of another namespace is named, and nobody has read which there are. */
export class InterfacesUnread extends Error {
  override readonly name = 'InterfacesUnread';
}

const elsewhere = new AsyncLocalStorage<Elsewhere>();

/** Does `work`, and what follows from it, with the names of interfaces as they are in another namespace. */
export function withInterfaces<T>(where: Elsewhere, work: () => T): T {
  return elsewhere.run(where, work);
}

function tableOf({ table }: Elsewhere): InterfaceTable {
  if (table === undefined) throw new InterfacesUnread('the interfaces of the namespace were not read');
  return table;
}

/** How long names are believed when a listing turns many indices into names, in milliseconds. */
const freshness = 100;
let namesRead = Number.NEGATIVE_INFINITY;
let names: ReadonlyMap<bigint, string> = new Map();

function nameOf(index: bigint): string | undefined {
  const where = elsewhere.getStore();
  if (where !== undefined) {
    const name = tableOf(where).names.get(index);
    if (name === undefined) where.missed = true;
    return name;
  }
  if (performance.now() - namesRead > freshness) {
    names = new Map(
      presentNames().flatMap((name) => {
        const found = indexOf(name);
        return found === undefined ? [] : [[found, name] as const];
      }),
    );
    namesRead = performance.now();
  }
  return names.get(index);
}

function present(name: string): bigint | undefined {
  const where = elsewhere.getStore();
  if (where !== undefined) return tableOf(where).indices.get(name);
  return presentNames().includes(name) ? indexOf(name) : undefined;
}

/**
 * An interface by its index, named as it is named in the connection's network namespace at that moment, or, where
 * there is no connection, in the process's. An index that no interface has is its digits.
 */
export const ifaceIndex: Datatype = Object.freeze({
  name: 'iface_index',
  id: 20,
  bits: 32,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal) {
    const number = readNumber(literal);
    if (number !== undefined && number >> 32n === 0n) return number;
    const isName = typeof literal === 'string' && number === undefined && !literal.includes('/');
    const index = isName ? present(literal) : undefined;
    if (index !== undefined) return index;
    throw new DatatypeError(
      'iface_index',
      literal,
      'an index, or the name of an interface that exists in this network namespace',
    );
  },
  format: (value: bigint) => nameOf(value) ?? String(value),
  formatText(value: bigint) {
    const name = nameOf(value);
    return name === undefined ? String(value) : quote(name);
  },
});
