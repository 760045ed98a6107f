import { ctKeys } from '../../protocol/ct.ts';
import type { Ct, CtDirectionKey, CtKey } from '../expression.ts';
import { type Operand, selector } from './operand.ts';

/** Keys that need a direction: they are found under `ct.original` and `ct.reply` alone. */
type DirectedOnly = Extract<CtDirectionKey, `${string}addr` | `proto-${string}`>;

function keys(dir?: Ct['dir']) {
  const usable = Object.values(ctKeys).filter(({ direction }) => direction !== (dir ? 'none' : 'required'));
  return Object.fromEntries(
    usable.map(({ name }) => [name, selector('ct', dir === undefined ? { key: name } : { key: name, dir })]),
  );
}

type Directed = { readonly [K in CtDirectionKey]: Operand };

/**
 * What conntrack knows about the packet's connection: `ct.state`, `ct.mark`; for one direction of it
 * `ct.original.saddr`, `ct.reply.bytes`.
 */
export const ct = Object.freeze({
  ...keys(),
  original: Object.freeze(keys('original')),
  reply: Object.freeze(keys('reply')),
}) as { readonly [K in Exclude<CtKey, DirectedOnly>]: Operand } & {
  readonly original: Directed;
  readonly reply: Directed;
};
