import { field, oneOf, optional, u32 } from '../wire/schema.ts';
import { data, dataText, value, words } from './data.ts';
import { define } from './define.ts';
import { register } from './register.ts';

export const immediate = define(
  'immediate',
  { dreg: field(1, register), data: field(2, data) },
  (i) => `reg ${i.dreg} ${dataText(i.data)}`,
);

/** `dreg = (sreg & mask) ^ xor`, or a shift of `sreg` by the host-order number in `data`. */
export const bitwise = define(
  'bitwise',
  {
    sreg: field(1, register),
    dreg: field(2, register),
    len: field(3, u32),
    mask: optional(4, value),
    xor: optional(5, value),
    op: optional(6, oneOf(['bool', 'lshift', 'rshift', 'and', 'or', 'xor'])),
    data: optional(7, value),
    sreg2: optional(8, register),
  },
  (i) => {
    const shift = { lshift: '<<', rshift: '>>', and: '&', or: '|', xor: '^', bool: '' }[i.op ?? 'bool'];
    if (shift === '') {
      return `reg ${i.dreg} = ( reg ${i.sreg} & ${words(i.mask ?? new Uint8Array())} ) ^ ${words(i.xor ?? new Uint8Array())}`;
    }
    const right = i.sreg2 === undefined ? words(i.data ?? new Uint8Array()) : `reg ${i.sreg2}`;
    return `reg ${i.dreg} = ( reg ${i.sreg} ${shift} ${right} )`;
  },
);

/** Swaps each run of `size` bytes between host and network order. */
export const byteorder = define(
  'byteorder',
  {
    sreg: field(1, register),
    dreg: field(2, register),
    op: field(3, oneOf(['ntoh', 'hton'])),
    len: field(4, u32),
    size: field(5, u32),
  },
  (i) => `reg ${i.dreg} = ${i.op}(reg ${i.sreg}, ${i.size}, ${i.len})`,
);

export const cmp = define(
  'cmp',
  {
    sreg: field(1, register),
    op: field(2, oneOf(['eq', 'neq', 'lt', 'lte', 'gt', 'gte'])),
    data: field(3, value),
  },
  (i) => `${i.op} reg ${i.sreg} ${words(i.data)}`,
);

/** Compares byte strings, so integers must be in network order. */
export const range = define(
  'range',
  {
    sreg: field(1, register),
    op: field(2, oneOf(['eq', 'neq'])),
    from: field(3, value),
    to: field(4, value),
  },
  (i) => `${i.op} reg ${i.sreg} ${words(i.from)} ${words(i.to)}`,
);
