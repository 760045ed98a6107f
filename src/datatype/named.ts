import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import type { HostTable } from './host-table.ts';
import { describeNumbers, formatHex, formatNumber, readNumber } from './number.ts';
import { quote } from './strings.ts';
import { describeSymbols } from './symbolic.ts';

/** A 32 bit number in host order that the host's own table may give a name to. */
export function named(definition: {
  readonly name: string;
  readonly id: number;
  readonly table: HostTable;
  /** Where the names come from, for the error. */
  readonly source: string;
  /** Values without a name are written in hexadecimal in nft syntax, so many digits wide. */
  readonly hexDigits?: number;
  /** Values without a name as JSON has them. */
  readonly plain?: (value: bigint) => string | number;
}): Datatype {
  const { name, id, table, source, hexDigits, plain = formatNumber } = definition;
  return Object.freeze({
    name,
    id,
    bits: 32,
    byteorder: 'host',
    base: 'integer',
    get symbols() {
      return table.symbols();
    },
    parse(literal: Literal) {
      const number = readNumber(literal);
      if (number !== undefined && number >> 32n === 0n) return number;
      const symbols = table.symbols();
      const value = typeof literal === 'string' && number === undefined ? symbols.get(literal) : undefined;
      if (value !== undefined) return value;
      const known = symbols.size > 0 ? ` (${describeSymbols(literal, symbols)})` : '';
      throw new DatatypeError(name, literal, `${describeNumbers(32)} or a name from ${source}${known}`);
    },
    format: (value: bigint) => table.nameOf(value) ?? plain(value),
    formatText(value: bigint) {
      const symbol = table.nameOf(value);
      if (symbol !== undefined) return quote(symbol);
      return hexDigits === undefined ? String(value) : formatHex(value, hexDigits);
    },
  } satisfies Datatype);
}
