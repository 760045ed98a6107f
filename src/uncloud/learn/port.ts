import type { Block } from '../address.ts';
import type { Context } from '../context.ts';
import { FILTER_FIELDS, type FilterField, fieldElement, fieldSet } from '../filter-field.ts';
import type { Entry, TableFamily } from '../inventory.ts';
import { ADDRESS_FIELDS, learnedSet } from '../key.ts';
import type { Nic } from '../policy.ts';
import type { Port } from '../port.ts';
import type { Learning } from './learning.ts';

/** A port that learns addresses, and what that takes. */
export interface LearningPort {
  readonly vm: string;
  readonly nic: Nic;
  readonly port: Port;
  readonly learning: Learning;
  /** Where an address is its alone: addresses of different scopes do not meet. */
  scopeOf(address: Block): string;
  /** Another VM whose record has the address. */
  otherOwner(address: Block): string | undefined;
  /** What the kernel has to have for the port to own an address. */
  entriesOf(address: Block): Entry[];
}

/** The set that a filter's rules look a variable up in, of what ports have learnt. */
export function learnedVariable(variable: string, field: string): string {
  return `learned_${fieldSet(variable, field)}`;
}

const VARIABLE = { ip: 'IP', ip6: 'IPV6' } as const;

/** What the kernel has to have for a port with this name and MAC to own an address: what its filter asks for not among it. */
export function addressEntries(
  family: TableFamily,
  { ifname, mac }: Pick<Port, 'ifname' | 'mac'>,
  address: Block,
): Entry[] {
  const sets = new Map<string, Entry>();
  for (const field of ADDRESS_FIELDS) {
    if (field.family !== address.family) continue;
    const set = learnedSet(field);
    sets.set(set, { family, set, key: field.element({ ifname, mac } as Port, address) });
  }
  return [...sets.values()];
}

/** What the kernel has to have for a port to own an address beside those of its record. */
export function learnedEntries(context: Context, nic: Nic, port: Port, address: Block): Entry[] {
  const { family } = port;
  const entries = addressEntries(family, port, address);
  const fields = context
    .variables(nic.filter)
    .flatMap(({ variable, field }) => (variable === VARIABLE[address.family] ? [field] : []));
  for (const field of new Set(fields)) {
    const variable = VARIABLE[address.family];
    const value = fieldElement(FILTER_FIELDS[field] as FilterField, {
      kind: 'block',
      cidr: `${address.text}/${address.length}`,
    });
    entries.push({ family, set: learnedVariable(variable, field), key: { concat: [port.ifname, value] } });
  }
  if (context.host.forward === 'deny' && !port.private)
    entries.push({ family: 'inet', set: `learned_${address.family}`, key: address.text });
  return entries;
}
