import {
  accept,
  and,
  continue_,
  drop,
  type Expression,
  ether,
  jump,
  meta,
  Operand,
  range,
  return_,
  type Statement,
  set,
  type Verdict,
} from '../index.ts';
import { addressText, block, mask, WIDTH } from './address.ts';
import { identifier } from './check.ts';
import type { Context } from './context.ts';
import { type FilterMatch, type FilterRule, filterOf, PORT_SECURITY } from './filter.ts';
import { FILTER_FIELDS, type FieldValue, type FilterField, fieldElement, fieldSet } from './filter-field.ts';
import { inPort, source } from './key.ts';
import { learnedVariable } from './learn/port.ts';
import { learnFiltered } from './learn-rules.ts';
import { blockSet, rangeSet } from './peer.ts';
import type { Key, TableWriter } from './table.ts';

type Body = readonly Statement[];
type Direction = 'in' | 'out';

const RARP = 0x8035;

const VERDICTS: Readonly<Record<string, () => Verdict>> = {
  accept,
  drop,
  return: return_,
  continue: continue_,
};

const port = (direction: Direction): Operand => (direction === 'out' ? meta.iifname : meta.oifname);

/** The values of a match as the right side of a comparison. */
function literal(field: FilterField, values: readonly FieldValue[]): Expression {
  if (!field.bare && values.every((value) => value.kind === 'block')) {
    return blockSet(values.map(({ cidr }) => cidr));
  }
  if (values.every((value) => value.kind === 'range')) return rangeSet(values.map((value) => value.range));
  const [one, ...more] = values.map((value) => bareBlock(field, value) ?? fieldElement(field, value)) as [
    Expression,
    ...Expression[],
  ];
  return more.length === 0 ? one : set(one, ...more);
}

/** A network in bare bits is a range of numbers. */
function bareBlock({ bare }: FilterField, value: FieldValue): Expression | undefined {
  if (!bare || value.kind !== 'block') return undefined;
  const { family, length, value: address } = block(value.cidr);
  if (length === WIDTH[family]) return undefined;
  const first = Number(address);
  return range(first, first + 2 ** (WIDTH[family] - length) - 1);
}

/** Lookups of what the port has for a variable: any of them will do. */
function variable(
  table: TableWriter,
  { field: name, variable = '' }: FilterMatch,
  direction: Direction,
): Statement[] {
  const field = FILTER_FIELDS[name] as FilterField;
  const key = (operand: Operand): Key => {
    const expression: Expression = { concat: [port(direction).expression, operand.expression] };
    const type = field.bare ? { typeof: expression } : (['ifname', field.type] as never);
    return { operand: new Operand(expression), type };
  };
  if (field.kind !== 'ip' && field.kind !== 'ip6') {
    return [table.among(fieldSet(variable, name), key(field.operand))];
  }
  const family = field.kind;
  const isOwn = variable === (family === 'ip' ? 'IP' : 'IPV6');
  const learned = table.learned(learnedVariable(variable, name), key(field.operand));
  const known = table.lengths(fieldSet(variable, name)).map((length) => {
    const bits = mask(family, length);
    const masked =
      length === WIDTH[family]
        ? field.operand
        : and(field.operand, field.bare ? Number(bits) : addressText(family, bits));
    return table.among(fieldSet(variable, name, length), key(masked));
  });
  return isOwn ? [...known, learned] : known;
}

/** Every combination of one of each. */
function product(choices: readonly (readonly Statement[])[]): Statement[][] {
  return choices.reduce<Statement[][]>(
    (all, choice) => all.flatMap((body) => choice.map((statement) => [...body, statement])),
    [[]],
  );
}

/** What a frame is that has a header, by what fields of it begin with: asked as nft asks for the fields themselves. */
const HEADERS: Readonly<Record<string, Statement>> = {
  arp: meta.protocol.eq('arp'),
  rarp: ether.type.eq(RARP),
  ip: meta.protocol.eq('ip'),
  ip6: meta.protocol.eq('ip6'),
  tcp: meta.l4proto.eq('tcp'),
  udp: meta.l4proto.eq('udp'),
  icmp: meta.l4proto.eq('icmp'),
  icmpv6: meta.l4proto.eq('icmpv6'),
};

const headerOf = ({ field }: FilterMatch): string => field.slice(0, field.indexOf('.'));

/** The headers that nothing else in the rule asks for: RARP's, and those of which a field must not match. */
function guarded(positive: readonly FilterMatch[], negative: readonly FilterMatch[]): Body {
  const asked = positive.map(headerOf);
  const headers = [
    ...asked.filter((header) => header === 'rarp'),
    ...negative.map(headerOf).filter((header) => !asked.includes(header)),
  ];
  return [...new Set(headers)].flatMap((header) => HEADERS[header] ?? []);
}

/** Writes a rule; one that must not match what a port has needs a chain of its own to leave. */
function rule(
  table: TableWriter,
  chain: string,
  direction: Direction,
  entry: Extract<FilterRule, { action: string }>,
): Body[] {
  const { matches, action } = entry;
  const positive = matches.filter(({ not, variable }) => !(not && variable !== undefined));
  const negative = matches.filter(({ not, variable }) => not && variable !== undefined);
  const choices = positive.map((match): Statement[] => {
    if (match.variable !== undefined) return variable(table, match, direction);
    const { operand } = FILTER_FIELDS[match.field] as FilterField;
    const right = literal(FILTER_FIELDS[match.field] as FilterField, match.values ?? []);
    return [match.not ? operand.ne(right) : operand.eq(right)];
  });
  const before = guarded(positive, negative);
  const verdict = (VERDICTS[action] as () => Verdict)();
  if (negative.length === 0) return product(choices).map((body) => [...before, ...body, verdict]);
  table.chain(chain, [
    ...negative.flatMap((match) => variable(table, match, direction).map((found) => [found, return_()])),
    [verdict],
  ]);
  return product(choices).map((body) => [...before, ...body, jump(chain)]);
}

/** The chains of the filters in use, each once for what comes from VMs and once for what goes to them. */
export function filterChains(table: TableWriter, context: Context): void {
  for (const { name } of table.uses('filter')) {
    if (name === PORT_SECURITY) continue;
    const { rules } = filterOf(context.policy.filters, name) ?? { rules: [] };
    for (const direction of ['out', 'in'] as const) {
      const chain = `filter_${direction}/${identifier(name)}`;
      const bodies = rules.flatMap((entry, i): Body[] => {
        if (!('filter' in entry)) {
          return entry.directions.includes(direction) ? rule(table, `${chain}/${i}`, direction, entry) : [];
        }
        if (entry.filter !== PORT_SECURITY)
          return [[jump(`filter_${direction}/${identifier(entry.filter)}`)]];
        return direction === 'out' ? [[jump('vm')], [drop()]] : [];
      });
      table.chain(chain, bodies);
    }
  }
  if (table.size('filters_out') === 0) return;
  for (const { name } of table.uses('filtered')) {
    for (const direction of ['out', 'in'] as const) {
      // What no rule of a filter ends passes.
      const chain = `${direction}/${identifier(name)}`;
      table.chain(`filtered_${chain}`, [[jump(`filter_${chain}`)], [accept()]]);
    }
  }
  const own = table.among(source.name, source.key);
  table.chain('filtered', [...learnFiltered(table), [own, table.verdicts('filters_out', inPort.key)]]);
}
