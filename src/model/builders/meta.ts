import { metaKeys } from '../../protocol/meta.ts';
import type { MetaKey } from '../expression.ts';
import { type Operand, selector } from './operand.ts';

/** What the kernel knows about a packet besides its bytes: `meta.iifname`, `meta.mark`. */
export const meta = Object.freeze(
  Object.fromEntries(Object.keys(metaKeys).map((key) => [key, selector('meta', { key })])),
) as { readonly [K in MetaKey]: Operand };
