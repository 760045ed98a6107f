import type { CounterState, LimitState, ObjectReference, QuotaState, Statement } from '../statement.ts';
import { expressionOf, type Value } from './expression.ts';
import { checkName } from './name.ts';
import { Operand } from './operand.ts';
import { worded } from './plain.ts';

/** A named object: its name, or a map from the packet to names (`tcp.dport.map('@limits')`). */
export type Reference = string | Operand;

/** The expression for a reference to a named object. */
export function reference(kind: string, to: Reference): ObjectReference {
  return typeof to === 'string' ? checkName(kind, to) : (expressionOf(to) as ObjectReference);
}

function isReference(value: unknown): value is Reference {
  return typeof value === 'string' || value instanceof Operand;
}

/** Counts packets and bytes: in the rule itself, or in a named counter. */
export function counter(state?: CounterState | Reference): Statement {
  return worded({ counter: isReference(state) ? reference('counter', state) : (state ?? null) });
}

/** Goes on up to a rate, with `inv` above it: `limit({ rate: 10, per: 'second' })`, or a named limit. */
export function limit(state: LimitState | Reference): Statement {
  return worded({ limit: isReference(state) ? reference('limit', state) : state });
}

/** Goes on until so many bytes have passed, with `inv` from then on; or a named quota. */
export function quota(state: QuotaState | Reference): Statement {
  return worded({ quota: isReference(state) ? reference('quota', state) : state });
}

/** Goes on up to so many connections, with `inv` above (Linux 4.18). */
export function ctCount(val: number, more: { readonly inv?: boolean } = {}): Statement {
  return worded({ 'ct count': { val, ...more } });
}

/** Remembers when the rule was last reached (Linux 5.14). */
export function last(): Statement {
  return worded({ last: null });
}

/** Assigns a conntrack helper object (Linux 4.12). */
export function ctHelper(to: Reference): Statement {
  return worded({ 'ct helper': reference('ct helper', to) });
}

/** Assigns a conntrack timeout policy (Linux 5.0). */
export function ctTimeout(to: Reference): Statement {
  return worded({ 'ct timeout': reference('ct timeout', to) });
}

/** Makes a conntrack expectation (Linux 5.3). */
export function ctExpectation(to: Reference): Statement {
  return worded({ 'ct expectation': reference('ct expectation', to) });
}

/** Gives the packet a security mark (Linux 4.20). */
export function secmark(to: Reference): Statement {
  return worded({ secmark: reference('secmark', to) });
}

/** Attaches a tunnel's metadata to the packet. */
export function tunnel(to: Reference): Statement {
  return worded({ tunnel: reference('tunnel', to) });
}

/** A statement for each value of a key: `meter('flood', ip.saddr, limit({ rate: 5, per: 'second' }))`. */
export function meter(name: string, key: Value, stmt: Statement, size?: number): Statement {
  return worded({ meter: { name: checkName('meter', name), key: expressionOf(key), size, stmt } });
}
