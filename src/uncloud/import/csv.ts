import { byFamily, ImportError, type Imported, type ImportedNic } from './imported.ts';

const COLUMNS = ['vm', 'ifname', 'bridge', 'mac', 'addresses', 'groups'] as const;

/**
 * Reads a table with a NIC a line: columns `vm`, `ifname`, `bridge`, `mac`, `addresses` and `groups`, in the
 * order of the first line; the last two may be left out, and hold words between spaces.
 */
export function importCsv(text: string): Imported {
  const lines = text.split(/\r?\n/).map((line, i) => ({ number: i + 1, cells: cellsOf(line, i + 1) }));
  const [head, ...rows] = lines.filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (head === undefined) throw new ImportError('no line with the names of columns');
  const unknown = head.cells.find((name) => !(COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new ImportError(`column ${unknown} is none of ${COLUMNS.join(', ')}`);
  const vms: Record<string, { nics: ImportedNic[] }> = {};
  for (const { number, cells } of rows) {
    const cell = (name: (typeof COLUMNS)[number]) => cells[head.cells.indexOf(name)]?.trim() ?? '';
    const need = (name: (typeof COLUMNS)[number]) => {
      if (cell(name) === '') throw new ImportError(`line ${number} has no ${name}`);
      return cell(name);
    };
    const words = (name: (typeof COLUMNS)[number]) => cell(name).split(/\s+/).filter(Boolean);
    const groups = words('groups');
    const vm = (vms[need('vm')] ??= { nics: [] });
    vm.nics.push({
      ifname: need('ifname'),
      bridge: need('bridge'),
      mac: need('mac').toLowerCase(),
      ...byFamily(words('addresses')),
      ...(groups.length > 0 && { groups }),
    });
  }
  return { vms, groups: {}, omissions: [] };
}

/** The cells of a line (RFC 4180, without line breaks in quotes). */
function cellsOf(line: string, number: number): string[] {
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = cell.exec(line);
    if (match === null) throw new ImportError(`line ${number}: a quotation mark out of place`);
    cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string).trim());
    if (match[3] === '') return cells;
  }
}
