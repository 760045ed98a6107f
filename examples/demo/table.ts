/** Rows in columns, under a line with the title of each group of them. */
export function table(
  head: readonly string[],
  rows: readonly (readonly [group: string, cells: string[]])[],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(([, cells]) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  const lines = [line(head), line(widths.map((width) => '─'.repeat(width)))];
  let last: string | undefined;
  for (const [group, cells] of rows) {
    if (group !== last) lines.push(group);
    lines.push(line(cells));
    last = group;
  }
  return `${lines.join('\n')}\n`;
}
