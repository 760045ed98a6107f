import {
  readUserdata,
  readUserdataNumber,
  type UserdataRow,
  userdataNumber,
  writeUserdata,
} from './userdata.ts';

/**
 * The expression that a set declared with `typeof` names, as nft writes it into the set's userdata: the kind
 * of expression, and numbers that say which. Numbers of headers, fields and keys are nft's own.
 *
 * ```
 *  row 0: kind (number)
 *  row 1: nest of numbers, or, of a concatenation, of such pairs
 * ```
 */
export type Typeof =
  | { readonly kind: TypeofKind; readonly numbers: Readonly<Record<string, number>> }
  | { readonly kind: 'concat'; readonly parts: readonly Typeof[] };

/** enum expr_types of nft's expression.h, and the rows of each kind in the order in which nft writes them. */
const KINDS = {
  verdict: [1, {}],
  payload: [7, { header: 0, field: 1, base: 2, offset: 3, length: 4 }],
  exthdr: [8, { field: 1, op: 2, header: 0 }],
  meta: [9, { key: 0 }],
  socket: [10, { key: 0, level: 1 }],
  osf: [11, {}],
  ct: [12, { key: 0, direction: 1 }],
  numgen: [23, { type: 0, mod: 1, offset: 2 }],
  hash: [24, { type: 0, offset: 1, mod: 2, seed: 3, seedSet: 4 }],
  rt: [25, { key: 0 }],
  fib: [26, { result: 0, flags: 1 }],
  xfrm: [27, { key: 0, spnum: 1, dir: 2 }],
} as const satisfies Readonly<Record<string, readonly [number, Readonly<Record<string, number>>]>>;

export type TypeofKind = keyof typeof KINDS;

const CONCAT = 13;
const EXPRESSION = 0;
const DATA = 1;

/** The value of the row that says what a set's keys or data are `typeof`. */
export function writeTypeof(value: Typeof): Uint8Array {
  const [number, data] =
    'parts' in value
      ? [CONCAT, writeUserdata(value.parts.map((part, i): UserdataRow => [i, writeTypeof(part)]))]
      : [KINDS[value.kind][0], writeNumbers(value)];
  return writeUserdata([userdataNumber(EXPRESSION, number), [DATA, data]]);
}

function writeNumbers({ kind, numbers }: Exclude<Typeof, { kind: 'concat' }>): Uint8Array {
  const rows = Object.entries(KINDS[kind][1]).flatMap(([name, type]) => {
    const number = numbers[name];
    return number === undefined ? [] : [userdataNumber(type, number)];
  });
  return writeUserdata(rows);
}

/** Reads such a value; undefined where it is of a kind or form that is not known. */
export function readTypeof(blob: Uint8Array): Typeof | undefined {
  const rows = readUserdata(blob);
  const number = readUserdataNumber(rows?.get(EXPRESSION));
  const data = readUserdata(rows?.get(DATA) ?? new Uint8Array());
  if (rows === undefined || data === undefined || number === undefined) return undefined;
  if (number === CONCAT) {
    const parts = [...data].sort(([a], [b]) => a - b).map(([, part]) => readTypeof(part));
    return parts.every((part) => part !== undefined) && parts.length > 1
      ? { kind: 'concat', parts }
      : undefined;
  }
  const kind = (Object.keys(KINDS) as TypeofKind[]).find((name) => KINDS[name][0] === number);
  return kind && readNumbers(kind, data);
}

function readNumbers(kind: TypeofKind, data: ReadonlyMap<number, Uint8Array>): Typeof | undefined {
  const names = new Map(Object.entries(KINDS[kind][1]).map(([name, type]) => [type as number, name]));
  const numbers: Record<string, number> = {};
  for (const [type, value] of data) {
    const name = names.get(type);
    const number = readUserdataNumber(value);
    if (name === undefined || number === undefined) return undefined;
    numbers[name] = number;
  }
  return { kind, numbers };
}
