import type { Literal } from '../datatype/index.ts';
import type { Elem, Expression, Jhash, SetElements } from '../model/index.ts';
import { literalText, numericText, type ScalarType } from './literal.ts';
import { selectors, words } from './selector.ts';
import { secondsText, stateful } from './stateful.ts';
import { NotInSyntax, name, quoted } from './text.ts';
import { namedType, typeOf, type ValueType } from './type.ts';
import { verdicts } from './verdict.ts';

type Formatter = (node: never, want: ValueType) => string;

/** How loosely an operator binds: an operand that binds more loosely than its operator has parentheses. */
const looseness = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 } as const;

type Operator = keyof typeof looseness;

function operatorOf(expression: Expression | undefined): Operator | undefined {
  if (typeof expression !== 'object' || expression === null) return undefined;
  const [key] = Object.keys(expression);
  return key !== undefined && Object.hasOwn(looseness, key) ? (key as Operator) : undefined;
}

/** Whether an expression is a binary operation. */
export function isBinary(expression: Expression): boolean {
  return operatorOf(expression) !== undefined;
}

function binary(operator: Operator): Formatter {
  const shift = operator === '<<' || operator === '>>';
  return (operands: readonly Expression[], want: ValueType) => {
    const type = typeOf({ [operator]: operands } as Expression) ?? want;
    return operands
      .map((operand, i) => {
        const text = format(operand, shift && i > 0 ? namedType('integer') : type);
        const inner = operatorOf(operand);
        return inner !== undefined && looseness[inner] > looseness[operator] ? `(${text})` : text;
      })
      .join(` ${operator} `);
  };
}

function concat(parts: readonly Expression[], want: ValueType): string {
  const types = want !== undefined && 'parts' in want ? want.parts : [];
  return parts.map((part, i) => format(part, types[i])).join(' . ');
}

function elem(node: Elem, want: ValueType): string {
  const { timeout = 0, expires = 0 } = node;
  const states = Object.entries(node).filter(([key]) => Object.hasOwn(stateful, key));
  return words(
    element(node.val, want),
    ...states.map(([key, state]) => stateful[key]?.(state as never)),
    timeout > 0 && `timeout ${secondsText(timeout)}`,
    expires > 0 && `expires ${secondsText(expires)}`,
    node.comment !== undefined && `comment ${quoted(node.comment)}`,
  );
}

/** The key of a set's element: `*` stands for everything else. */
function element(node: Expression, want: ValueType): string {
  return node === '*' ? '*' : format(node, want);
}

/**
 * The elements of a set, or of a map when `data` is given: its values' type.
 *
 * @param want - the type of the keys
 */
export function elementTexts(
  elements: SetElements,
  want: ValueType,
  data?: { readonly type: ValueType },
): string[] {
  const list = Array.isArray(elements) ? (elements as readonly Expression[]) : [elements as Expression];
  return list.map((node) => {
    if (!data) return element(node, want);
    if (!Array.isArray(node) || node.length !== 2) throw new NotInSyntax('a map has pairs of key and value');
    const [key, value] = node as [Expression, Expression];
    return `${element(key, want)} : ${format(value, data.type)}`;
  });
}

/** What a key is looked up in: the name of a map, or the map itself. `want`: the type of its values. */
export function mapData(data: Expression, key: Expression, want: ValueType): string {
  if (typeof data === 'object' && data !== null && 'set' in data) {
    return `{ ${elementTexts(data.set, typeOf(key), { type: want }).join(', ')} }`;
  }
  return format(data, want);
}

/** The ends are numbers, flags of one end taken together: an operator there would belong to the whole range. */
function range(ends: readonly [Expression, Expression], want: ValueType): string {
  const type = scalar(want);
  const end = (node: Expression) => {
    if (typeof node !== 'object') return literalText(node, type, numericText);
    if (!('|' in node) || type === undefined) return format(node, want);
    const flags = node['|'].map((flag) => type.type.parse(flag as Literal, type.bits));
    return numericText(
      type.type,
      flags.reduce((all, flag) => all | flag, 0n),
    );
  };
  return ends.map(end).join('-');
}

function scalar(type: ValueType): ScalarType | undefined {
  return type !== undefined && 'parts' in type ? undefined : type;
}

function jhash({ mod, offset, expr, seed }: Jhash): string {
  const start = seed !== undefined && `seed 0x${seed.toString(16)}`;
  return words('jhash', format(expr, undefined), `mod ${mod}`, start, Boolean(offset) && `offset ${offset}`);
}

/** One row for each kind of expression, by its key in the JSON. */
const formatters: Readonly<Record<string, Formatter>> = {
  ...selectors,
  ...verdicts,
  ...Object.fromEntries(Object.keys(looseness).map((operator) => [operator, binary(operator as Operator)])),
  concat,
  elem,
  set: (elements: SetElements, want) => `{ ${elementTexts(elements, want).join(', ')} }`,
  map: ({ key, data }: { key: Expression; data: Expression }, want) =>
    `${format(key, undefined)} map ${mapData(data, key, want)}`,
  prefix: ({ addr, len }: { addr: Expression; len: number }, want) => `${format(addr, want)}/${len}`,
  range,
  jhash,
};

/**
 * An expression in nft syntax.
 *
 * @param want - the type of the place it stands in, which literals have
 * @throws NotInSyntax
 */
export function format(expression: Expression, want: ValueType): string {
  if (typeof expression === 'string' && expression.startsWith('@')) return `@${name(expression.slice(1))}`;
  if (Array.isArray(expression)) {
    return (expression as readonly Expression[]).map((item) => format(item, want)).join(',');
  }
  if (typeof expression !== 'object' || expression === null) {
    return literalText(expression as string, scalar(want));
  }
  const [[kind, node] = []] = Object.entries(expression);
  const formatter = kind !== undefined && Object.hasOwn(formatters, kind) ? formatters[kind] : undefined;
  if (!formatter) throw new NotInSyntax(`nft has no expression ${kind}`);
  return formatter(node as never, want);
}
