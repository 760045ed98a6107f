import { readFileSync } from 'node:fs';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { describeNumbers, readNumber } from './number.ts';

/** The number behind a name in a file of `name:password:number:…` lines. */
function lookUp(path: string, name: string): bigint | undefined {
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [entry, , number = ''] = line.split(':');
    if (entry === name) return readNumber(number);
  }
  return undefined;
}

function owner(name: string, id: number, path: string): Datatype {
  return Object.freeze({
    name,
    id,
    bits: 32,
    byteorder: 'host',
    base: 'integer',
    parse(literal: Literal) {
      const number = readNumber(literal);
      const value =
        number ?? (typeof literal === 'string' && literal !== '' ? lookUp(path, literal) : undefined);
      if (value === undefined || value >> 32n !== 0n) {
        throw new DatatypeError(name, literal, `${describeNumbers(32)} or a name from ${path}`);
      }
      return value;
    },
    format: Number,
  });
}

/** The user a socket belongs to. Names are understood (`/etc/passwd`), numbers are what is listed. */
export const uid: Datatype = owner('uid', 24, '/etc/passwd');

/** The group a socket belongs to. Names are understood (`/etc/group`), numbers are what is listed. */
export const gid: Datatype = owner('gid', 25, '/etc/group');
