import { datatypes } from '../../datatype/index.ts';
import type { Expression, Match } from '../../model/index.ts';
import { format, isBinary } from '../expression.ts';
import { typeOf, type ValueType } from '../type.ts';

/** Whether a type has flags that stand for themselves; a bare bitmask is a number to nft. */
function isFlags(type: ValueType): boolean {
  return (
    type !== undefined && 'type' in type && type.type.base === 'bitmask' && type.type !== datatypes.bitmask
  );
}

/** `{ "&": [flags, [mask…]] }`: nft writes these as `flags value / mask`. */
function flagMask(left: Expression): readonly [flags: Expression, mask: Expression] | undefined {
  if (typeof left !== 'object' || left === null || !('&' in left)) return undefined;
  const [flags, mask] = left['&'];
  return Array.isArray(mask) && isFlags(typeOf(flags)) ? [flags, mask] : undefined;
}

/**
 * Equality goes without an operator, but where that would mean something else: a value alone asks whether
 * any of its flags is set, and behind an operation nft reads on.
 */
function operator({ op, left, right }: Match, type: ValueType): string {
  if (op === 'in') return ' ';
  const isValue = typeof right !== 'object' || Array.isArray(right) || isBinary(right);
  const implied = op === '==' && !isBinary(left) && !(isValue && isFlags(type));
  return implied ? ' ' : ` ${op} `;
}

/** `{ match: { op, left, right } }` */
export function match(node: Match): string {
  const { op, left, right } = node;
  const type = typeOf(left);
  const masked = flagMask(left);
  if (masked && (op === '==' || op === '!=')) {
    const [flags, mask] = masked;
    const differs = op === '!=' ? '!= ' : '';
    return `${format(flags, undefined)} ${differs}${format(right, type)} / ${format(mask, type)}`;
  }
  return `${leftText(node)}${operator(node, type)}${format(right, type)}`;
}

/** Whether a TCP option of some number is there at all has a form of its own. */
function leftText({ left, right }: Match): string {
  if (typeof right === 'boolean' && typeof left === 'object' && 'tcp option' in left) {
    const option = left['tcp option'];
    if ('base' in option) return `tcp option ${option.base}`;
  }
  return format(left, undefined);
}
