import { field, oneOf, optional, u32 } from '../wire/schema.ts';
import { define, hex } from './define.ts';
import { register } from './register.ts';

/** NFPROTO_* numbers of the address families that translation knows. */
const FAMILY_NAMES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 10: 'ip6' };

const familyText = (family: number): string => FAMILY_NAMES[family] ?? 'unknown';

/** `name reg N` for each register that is there. */
function registers(rows: readonly (readonly [string, number | undefined])[]): string {
  return rows
    .filter(([, number]) => number !== undefined)
    .map(([name, number]) => ` ${name} reg ${number}`)
    .join('');
}

const flagsText = (flags: number | undefined): string => (flags ? ` flags ${hex(flags)}` : '');

export const nat = define(
  'nat',
  {
    type: field(1, oneOf(['snat', 'dnat'])),
    family: field(2, u32),
    addrMin: optional(3, register),
    addrMax: optional(4, register),
    protoMin: optional(5, register),
    protoMax: optional(6, register),
    flags: optional(7, u32),
  },
  (i) => {
    const max = (reg: number | undefined, min: number | undefined) => (reg === min ? undefined : reg);
    const text = registers([
      ['addr_min', i.addrMin],
      ['addr_max', max(i.addrMax, i.addrMin)],
      ['proto_min', i.protoMin],
      ['proto_max', max(i.protoMax, i.protoMin)],
    ]);
    return `${i.type} ${familyText(i.family)}${text}${flagsText(i.flags)}`;
  },
);

export const masq = define(
  'masq',
  { flags: optional(1, u32), protoMin: optional(2, register), protoMax: optional(3, register) },
  (i) =>
    `${registers([
      ['proto_min', i.protoMin],
      ['proto_max', i.protoMax === i.protoMin ? undefined : i.protoMax],
    ])}${flagsText(i.flags)}`.trim(),
);

export const redir = define(
  'redir',
  { protoMin: optional(1, register), protoMax: optional(2, register), flags: optional(3, u32) },
  (i) =>
    `${registers([
      ['proto_min', i.protoMin],
      ['proto_max', i.protoMax === i.protoMin ? undefined : i.protoMax],
    ])}${flagsText(i.flags)}`.trim(),
);

export const tproxy = define(
  'tproxy',
  { family: field(1, u32), addr: optional(2, register), port: optional(3, register) },
  (i) =>
    `${FAMILY_NAMES[i.family] === undefined || i.family === 1 ? '' : familyText(i.family)}${registers([
      ['addr', i.addr],
      ['port', i.port],
    ])}`.trim(),
);
