import { metaKeys } from '../../protocol/meta.ts';
import type { MetaKey } from '../expression.ts';
import { Operand } from './operand.ts';

/** What the kernel knows about a packet besides its bytes: `meta.iifname`, `meta.mark`. */
export const meta = Object.freeze(
  Object.fromEntries(
    Object.keys(metaKeys).map((key) => [key, new Operand({ meta: { key: key as MetaKey } })]),
  ),
) as { readonly [K in MetaKey]: Operand };
