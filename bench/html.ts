import { machine } from './machine.ts';
import { escaped, type Line, type Plot, svg } from './plot.ts';
import { type Figure, number } from './report.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8883; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1060px; padding: 0 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.grid { stroke: var(--line); }
.legend span { display: inline-block; margin-right: .9rem; font-size: 13px; }
.legend i { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .3em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; width: 100%; }
td, th { padding: .2rem .5rem; border-bottom: 1px solid var(--line); text-align: right; }
td:nth-child(-n+4), th:nth-child(-n+4) { text-align: left; }
`;

const COLOURS = (
  '#888888 #1f77b4 #17a2b8 #2ca02c #98c379 #d62728 #e08e8b #9467bd #8c564b #e377c2 #ff7f0e #bcbd22 #b59f00 ' +
  '#6c5ce7 #00896b'
).split(' ');

/** The same colour for a driver in every plot. */
function colours(figures: readonly Figure[]): ReadonlyMap<string, string> {
  const names = [...new Set(figures.map(({ driver }) => driver))];
  return new Map(names.map((name, i) => [name, COLOURS[i % COLOURS.length] as string]));
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

type Place = (figure: Figure) => { x: number; y: number; low: number; high: number } | undefined;

function linesOf(figures: readonly Figure[], palette: ReadonlyMap<string, string>, place: Place): Line[] {
  return [...grouped(figures, ({ driver }) => driver)].flatMap(([name, own]) => {
    const points = own.flatMap((figure) => place(figure) ?? []).sort((a, b) => a.x - b.x);
    return points.length === 0 ? [] : [{ name, colour: palette.get(name) as string, points }];
  });
}

/** What a suite's sizes count. */
const COUNTED: Readonly<Record<string, string>> = {
  packet: 'VMs',
  uncloud: 'VMs',
  rules: 'rules',
  bulk: 'elements',
  churn: 'elements in the set',
  memory: 'elements',
};

const moreThanOneSize = (figures: readonly Figure[]) => new Set(figures.map(({ size }) => size)).size > 1;

/** What things cost, by how many there are. */
function costs(figures: readonly Figure[], palette: ReadonlyMap<string, string>): Plot[] {
  const key = ({ suite, case: name, metric }: Figure) => `${suite}: ${name}: ${metric}`;
  return [...grouped(figures, key)].flatMap(([title, own]): Plot[] => {
    const [{ suite, unit }] = own as [Figure];
    const lines = linesOf(own, palette, ({ size, median, min, max }) =>
      min > 0 ? { x: size, y: median, low: min, high: max } : undefined,
    );
    if (!moreThanOneSize(own) || lines.length === 0) return [];
    return [{ title, lines, xLabel: COUNTED[suite] ?? 'size', yLabel: unit }];
  });
}

/** How many times the limit things take. */
function ratios(figures: readonly Figure[], palette: ReadonlyMap<string, string>): Plot[] {
  const compared = figures.filter(({ ratioToLimit, median }) => ratioToLimit !== null && median > 0);
  const key = ({ suite, metric }: Figure) => `${suite}: ${metric}`;
  return [...grouped(compared, key)].flatMap(([title, own]): Plot[] => {
    const places = [...new Set(own.map((figure) => label(figure)))];
    if (new Set(own.map(({ driver }) => driver)).size < 2) return [];
    const lines = linesOf(own, palette, (figure) => {
      const { median, min, max } = figure;
      const ratio = figure.ratioToLimit as number;
      const limit = median / ratio;
      return { x: places.indexOf(label(figure)) + 1, y: ratio, low: min / limit, high: max / limit };
    });
    return [{ title, lines, names: places, xLabel: '', yLabel: '× limit' }];
  });
}

const label = ({ case: name, size }: Figure) =>
  `${name.length > 14 ? `${name.slice(0, 13)}…` : name} ${size >= 1000 ? `${size / 1000}k` : size}`;

/** Latencies by percentile. */
function percentiles(figures: readonly Figure[], palette: ReadonlyMap<string, string>): Plot[] {
  const told = figures.flatMap((figure) => {
    const found = /^(?:(.*), )?(p\d+)$/.exec(figure.metric);
    return found === null ? [] : [{ figure, what: found[1] ?? '', percentile: found[2] as string }];
  });
  const key = ({ figure, what }: (typeof told)[number]) =>
    `${figure.suite}: ${figure.case}, ${figure.size.toLocaleString('en')}${what && `: ${what}`}`;
  return [...grouped(told, key)].flatMap(([title, own]): Plot[] => {
    const names = [...new Set(own.map(({ percentile }) => percentile))].sort();
    if (names.length < 2) return [];
    const of = new Map(own.map(({ figure, percentile }) => [figure, names.indexOf(percentile) + 1]));
    const lines = linesOf([...of.keys()], palette, (figure) => ({
      x: of.get(figure) as number,
      y: figure.median,
      low: figure.min,
      high: figure.max,
    }));
    return [{ title, lines, names, xLabel: 'percentile', yLabel: own[0]?.figure.unit ?? '' }];
  });
}

function drawn(heading: string, plots: readonly Plot[]): string {
  if (plots.length === 0) return '';
  const figures = plots.map((plot) => {
    const legend = plot.lines.map(
      ({ name, colour }) => `<span><i style="background:${colour}"></i>${escaped(name)}</span>`,
    );
    return `<figure><figcaption>${escaped(plot.title)}</figcaption>${svg(plot)}<div class="legend">${legend.join('')}</div></figure>`;
  });
  return `<h2>${escaped(heading)}</h2><div class="plots">${figures.join('\n')}</div>`;
}

function row(figure: Figure): string {
  const { suite, driver, metric, unit, ratioToLimit } = figure;
  const cells = [
    suite,
    figure.case,
    driver,
    `${metric}, ${unit}`,
    figure.size.toLocaleString('en'),
    number(figure.median),
    `${number(figure.min)} – ${number(figure.max)}`,
    ratioToLimit === null ? '' : ratioToLimit.toFixed(2),
  ];
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

/** One page with the figures drawn and listed, which loads nothing from elsewhere. */
export function page(figures: readonly Figure[]): string {
  const palette = colours(figures);
  const head = ['suite', 'case', 'driver', 'what', 'size', 'median', 'least – greatest', '× limit'];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>nftjs bench</title><style>${STYLE}</style></head><body>
<h1>nftjs bench</h1>
<p>${escaped(machine())}. Points are medians over all trials, bars reach from the least to the greatest; both axes are logarithmic.</p>
${drawn('Cost', costs(figures, palette))}
${drawn('Compared with the limit', ratios(figures, palette))}
${drawn('Latency', percentiles(figures, palette))}
<h2>All figures</h2>
<table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>
${figures.map(row).join('\n')}
</tbody></table></body></html>
`;
}
