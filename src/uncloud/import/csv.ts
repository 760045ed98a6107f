import { byFamily, ImportError, type Imported, type ImportedNic } from './imported.ts';

const COLUMNS = ['vm', 'ifname', 'bridge', 'mac', 'addresses', 'groups', 'vlans', 'filter'] as const;

/**
 * Reads a table with a NIC a line: columns `vm`, `ifname`, `bridge`, `mac`, `addresses`, `groups`, `vlans` and
 * `filter`, in the order of the first line; those behind `mac` may be left out, and hold words between spaces. Cells
 * end at commas, at semicolons where the first line has those, or at tabs.
 */
export function importCsv(text: string): Imported {
  const whole = text.replace(/^\ufeff/, '');
  const end = [';', '\t'].find((mark) => whole.split(/\r?\n/)[0]?.includes(mark)) ?? ',';
  const lines = whole.split(/\r?\n/).map((line, i) => ({ number: i + 1, cells: cellsOf(line, i + 1, end) }));
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
    const vlans = words('vlans').map((one) => (one.includes('-') ? one : Number(one)));
    const filter = cell('filter');
    const vm = (vms[need('vm')] ??= { nics: [] });
    vm.nics.push({
      ifname: need('ifname'),
      bridge: need('bridge'),
      mac: need('mac').toLowerCase(),
      ...byFamily(words('addresses')),
      ...(vlans.length > 0 && { vlans }),
      ...(groups.length > 0 && { groups }),
      ...(filter !== '' && { filter }),
    });
  }
  return { vms, groups: {}, omissions: [] };
}

/** The cells of a line (RFC 4180, without line breaks in quotes). */
function cellsOf(line: string, number: number, end: string): string[] {
  const cells: string[] = [];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${end}]*))(${end}|$)`, 'y');
  for (;;) {
    const match = cell.exec(line);
    if (match === null) throw new ImportError(`line ${number}: a quotation mark out of place`);
    cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string).trim());
    if (match[3] === '') return cells;
  }
}
