/** Errors of two networks: a histogram of both, and outputs against targets. */
import type { WhatChanged } from '../../daemon/protocol/whatChanged.js';
import { element } from '../page/element.js';
import { number } from '../page/format.js';
import { t } from '../page/strings.js';
import { scrollTable, section } from './parts.js';

type Numbers = Extract<WhatChanged['result'], { kind: 'numbers' }>;

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 560;
const HEIGHT = 240;
const LEFT = 56;
const BOTTOM = 28;
const TOP = 8;

function node(tag: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return made;
}

function sheet(label: string): SVGElement {
  const svg = node('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'plot', role: 'img', 'aria-label': label });
  svg.append(node('path', { d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 8}`, class: 'axis' }));
  return svg;
}

const xOf = (share: number) => LEFT + share * (WIDTH - 8 - LEFT);
const yOf = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);

const word = (x: number, y: number, text: string, anchor = 'middle') =>
  node('text', { x, y, 'text-anchor': anchor, class: 'tick' }, text);

/** The reference as a filled step, the pruned network as a line: distinguishable without colour. */
function histogram({ histogram: { edges, reference, pruned }, reference: before, pruned: after }: Numbers): SVGElement {
  const svg = sheet(
    t('Histogram of residuals. Root mean square: reference {0}, pruned {1}.', number(before.rmse), number(after.rmse)),
  );
  const most = Math.max(1, ...reference, ...pruned);
  const [low, high] = [edges[0]!, edges.at(-1)!];
  const x = (value: number) => xOf((value - low) / (high - low));
  const outline = (counts: readonly number[]) =>
    `M${x(low)} ${yOf(0)}${counts.map((one, i) => `L${x(edges[i]!)} ${yOf(one / most)}L${x(edges[i + 1]!)} ${yOf(one / most)}`).join('')}L${x(high)} ${yOf(0)}`;
  svg.append(
    node('path', { d: `${outline(reference)}Z`, class: 'reference-area' }),
    node('path', { d: outline(pruned), class: 'pruned-line' }),
    word(x(low), HEIGHT - 10, number(low), 'start'),
    word(x(high), HEIGHT - 10, number(high), 'end'),
    word(LEFT - 6, yOf(1) + 8, String(most), 'end'),
  );
  if (low < 0 && high > 0)
    svg.append(node('path', { d: `M${x(0)} ${TOP}V${HEIGHT - BOTTOM}`, class: 'zero' }), word(x(0), HEIGHT - 10, '0'));
  return svg;
}

/** Targets to the right, outputs upwards; on the line both are equal. */
function scatter({ points }: Numbers): SVGElement {
  const svg = sheet(t('Outputs against targets, {0} of them', points.length));
  const all = points.flat().filter((value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const share = (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  svg.append(node('path', { d: `M${xOf(0)} ${yOf(0)}L${xOf(1)} ${yOf(1)}`, class: 'zero' }));
  for (const [target, reference, pruned] of points) {
    const x = xOf(share(target));
    if (reference !== null) svg.append(node('circle', { cx: x, cy: yOf(share(reference)), r: 3, class: 'reference-mark' }));
    if (pruned !== null) {
      const y = yOf(share(pruned));
      svg.append(node('path', { d: `M${x - 3} ${y - 3}L${x + 3} ${y + 3}M${x - 3} ${y + 3}L${x + 3} ${y - 3}`, class: 'pruned-mark' }));
    }
  }
  svg.append(
    word(xOf(0), HEIGHT - 10, number(low), 'start'),
    word(xOf(1), HEIGHT - 10, number(high), 'end'),
    word(LEFT - 6, yOf(0), number(low), 'end'),
    word(LEFT - 6, yOf(1) + 8, number(high), 'end'),
  );
  return svg;
} // prettier-ignore

/** @param drawn the mark of each network. */
function legend(drawn: readonly [reference: SVGElement, pruned: SVGElement]): HTMLElement {
  const item = (mark: SVGElement, text: string) => {
    const svg = node('svg', { viewBox: '0 0 20 12', width: 20, height: 12, 'aria-hidden': 'true' });
    svg.append(mark);
    const label = element('span', { class: 'legend-pair' }, element('span', { text }));
    label.prepend(svg);
    return label;
  };
  return element('p', { class: 'legend' }, item(drawn[0], t('Reference')), item(drawn[1], t('Pruned')));
}

export function residualSections(result: Numbers): HTMLElement[] {
  const rows = result.outputs.map(({ name, reference, pruned }) => ({
    head: name,
    cells: [reference.rmse, pruned.rmse, reference.meanAbsolute, pruned.meanAbsolute].map((value) => number(value)),
  }));
  const header = [
    t('Output'),
    t('Reference, root mean square'),
    t('Pruned'),
    t('Reference, mean absolute'),
    t('Pruned'),
  ];
  const area = node('path', { d: 'M2 11V4H18V11Z', class: 'reference-area' });
  const line = node('path', { d: 'M1 8H19', class: 'pruned-line' });
  const circle = node('circle', { cx: 10, cy: 6, r: 3, class: 'reference-mark' });
  const cross = node('path', { d: 'M7 3L13 9M7 9L13 3', class: 'pruned-mark' });
  return [
    section(
      'residuals',
      t('Residuals'),
      null,
      element('p', {
        class: 'note',
        text: t('Output minus target, in the unit of the target. The outer bins have all that lies beyond.'),
      }),
      legend([area, line]),
      histogram(result),
    ),
    section(
      'scatter',
      t('Outputs against targets'),
      null,
      element('p', { class: 'note', text: t('On the line an output equals its target.') }),
      legend([circle, cross]),
      scatter(result),
    ),
    ...(rows.length > 0
      ? [section('classes', t('Each output'), null, scrollTable(t('Each output'), header, rows))]
      : []),
  ];
}
