/** A chart as a table, for users who cannot see the picture. */
import { downsample } from '../../daemon/protocol/telemetry/downsample.js';
import { element } from '../page/element.js';
import { t } from '../page/strings.js';
import type { LegendEntry } from '../chart/curves.js';
import type { Line } from '../chart/line.js';
import { nearest } from '../chart/nearest.js';

/** Approximate number of rows; of longer series, peaks and ends are among them. */
const ROWS = 100;

/** A visible line, and its legend entry. */
export interface ShownLine {
  readonly entry: LegendEntry;
  readonly line: Line;
}

/** A row for each x at which some line has a value, a column for each line. */
export function valueTable(
  title: string,
  xName: string,
  xFormat: (x: number) => string,
  lines: readonly ShownLine[],
): HTMLElement {
  const places = (of: (line: Line) => Iterable<number>) => new Set(lines.flatMap(({ line }) => Array.from(of(line))));
  const total = places(({ x }) => x).size;
  const most = total <= ROWS ? total : Math.max(5, Math.floor(ROWS / lines.length));
  const rows = Array.from(places(({ x, y }) => downsample(y, most).map((row) => x[row]!))).sort((a, b) => a - b);
  const cell = ({ line, entry }: ShownLine, x: number) => {
    const at = nearest(line.x, x);
    return line.x[at] === x ? entry.format(line.y[at]!) : '';
  };
  return element(
    'table',
    {},
    element('caption', {
      text: rows.length < total ? t('{0}: {1} of {2} rows; the CSV export has all.', title, rows.length, total) : title,
    }),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col', text: xName }),
        ...lines.map(({ line }) => element('th', { scope: 'col', text: line.label })),
      ),
    ),
    element(
      'tbody',
      {},
      ...rows.map((x) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row', text: xFormat(x) }),
          ...lines.map((line) => element('td', { text: cell(line, x) })),
        ),
      ),
    ),
  );
}
