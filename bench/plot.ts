/** One point of a line: the middle of what was measured there, and its ends. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** The points of one driver. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

/** A plot, both of whose axes are logarithmic. */
export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  /** What stands at places of the horizontal axis; powers of ten without it. */
  readonly names?: readonly string[];
}

const WIDTH = 480;
const HEIGHT = 300;
const LEFT = 58;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 44;

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

const short = (value: number): string => {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(2)));
};

/** Round values of a logarithmic axis that lie between `low` and `high`; more of them where the range is short. */
function ticks(low: number, high: number): number[] {
  const steps = high / low > 300 ? [1] : high / low > 20 ? [1, 3] : [1, 1.5, 2, 3, 5, 7];
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (value >= low && value <= high) values.push(value);
    }
  }
  return values;
}

/** Places values on `[from, to]` by their logarithm, with some air at both ends. */
function scale(values: readonly number[], from: number, to: number) {
  const least = Math.min(...values) / 1.15;
  const most = Math.max(...values) * 1.15;
  const span = Math.log(most / least);
  return { least, most, at: (value: number) => from + ((to - from) * Math.log(value / least)) / span };
}

function mark(
  { name, colour }: Line,
  point: Point,
  x: number,
  top: number,
  bottom: number,
  y: number,
): string {
  const text = `${name}: ${short(point.y)} (${short(point.low)} – ${short(point.high)})`;
  return (
    `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${colour}" stroke-width="1"/>` +
    `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"><title>${escaped(text)}</title></circle>`
  );
}

/** The plot as SVG; positive values only. */
export function svg({ lines, names, xLabel, yLabel }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const x = scale(
    points.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    points.flatMap(({ low, high }) => [low, high]),
    HEIGHT - BOTTOM,
    TOP,
  );
  const place = (value: number) => value.toFixed(1);
  const columns =
    names?.map((name, i) => [i + 1, name] as const) ??
    ticks(x.least, x.most).map((v) => [v, short(v)] as const);
  const grid = [
    ...ticks(y.least, y.most).map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${place(y.at(value))}" y2="${place(y.at(value))}"/>` +
        `<text x="${LEFT - 6}" y="${place(y.at(value) + 4)}" text-anchor="end">${short(value)}</text>`,
    ),
    ...columns.map(
      ([value, name]) =>
        `<text x="${place(x.at(value))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escaped(name)}</text>`,
    ),
  ];
  const drawn = lines.map((line) => {
    const path = line.points.map((point) => `${place(x.at(point.x))},${place(y.at(point.y))}`).join(' ');
    const marks = line.points.map((point) =>
      mark(line, point, Number(place(x.at(point.x))), y.at(point.high), y.at(point.low), y.at(point.y)),
    );
    return `<polyline points="${path}" fill="none" stroke="${line.colour}" stroke-width="1.8"/>${marks.join('')}`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${grid.join('')}${drawn.join('')}` +
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(xLabel)}</text>` +
    `<text x="14" y="${(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(TOP + HEIGHT - BOTTOM) / 2})">${escaped(yLabel)}</text></svg>`
  );
}
