import { byFamily, ImportError, type Imported, type ImportedGroup, type ImportedNic } from './imported.ts';

const KINDS = ['vms', 'groups', 'networks', 'filters'] as const;
const COLUMNS = ['vm', 'ifname', 'bridge', 'mac', 'addresses', 'groups', 'vlans', 'filter'];

/**
 * Reads JSON: a policy, `{"vms": {…}, "groups": {…}, "networks": {…}, "filters": {…}}`; or a list with a NIC each, of
 * the columns that {@link importCsv} has: `addresses`, `groups` and `vlans` are lists.
 */
export function importJson(text: string): Imported {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new ImportError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (Array.isArray(value)) return fromList(value);
  const fields = objectOf(value, 'the file');
  const stranger = Object.keys(fields).find(
    (key) => key !== 'version' && !KINDS.some((kind) => kind === key),
  );
  if (stranger !== undefined) throw new ImportError(`${stranger} is none of ${KINDS.join(', ')}`);
  const { vms = {}, groups = {}, networks = {}, filters = {} } = fields;
  return {
    vms: objectOf(vms, 'vms') as Imported['vms'],
    groups: objectOf(groups, 'groups') as Readonly<Record<string, ImportedGroup>>,
    networks: objectOf(networks, 'networks'),
    filters: objectOf(filters, 'filters'),
    omissions: [],
  };
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ImportError(`${what} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function fromList(list: readonly unknown[]): Imported {
  const vms: Record<string, { nics: ImportedNic[] }> = Object.create(null);
  for (const [i, entry] of list.entries()) {
    const fields = objectOf(entry, `[${i}]`);
    const stranger = Object.keys(fields).find((key) => !COLUMNS.includes(key));
    if (stranger !== undefined) throw new ImportError(`[${i}].${stranger} is none of ${COLUMNS.join(', ')}`);
    const word = (name: string) => {
      const value = fields[name];
      if (typeof value !== 'string' && typeof value !== 'number')
        throw new ImportError(`[${i}] has no ${name}`);
      return String(value);
    };
    const words = (name: string) => {
      const value = fields[name] ?? [];
      if (!Array.isArray(value)) throw new ImportError(`[${i}].${name} is not a list`);
      return value.map(String);
    };
    const [groups, vlans] = [words('groups'), words('vlans')];
    const vm = (vms[word('vm')] ??= { nics: [] });
    vm.nics.push({
      ifname: word('ifname'),
      bridge: word('bridge'),
      mac: word('mac').toLowerCase(),
      ...byFamily(words('addresses')),
      ...(vlans.length > 0 && { vlans: vlans.map((one) => (one.includes('-') ? one : Number(one))) }),
      ...(groups.length > 0 && { groups }),
      ...(fields.filter !== undefined && { filter: word('filter') }),
    });
  }
  return { vms: { ...vms }, groups: {}, omissions: [] };
}
