import { shapeOutline } from '../chart/drawing.js';
import type { Line } from '../chart/line.js';
import { svg } from './svg.js';
import { DASHES, type Shape } from './theme.js';

/** An SVG path of a marker around (x, y). */
export function shapePath(shape: Shape, x: number, y: number, r: number): string {
  if (shape === 'circle') return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  const corners = shapeOutline(shape).map(([dx, dy]) => `${round(x + dx * r)} ${round(y + dy * r)}`);
  return `M${corners.join('L')}z`;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** A line's colour, dash and marker as a small picture, for legends. */
export function swatch(line: Pick<Line, 'colour' | 'dash' | 'shape' | 'points' | 'scatter'>): SVGElement {
  const picture = svg('svg', { viewBox: '0 0 22 10', width: 22, height: 10, 'aria-hidden': 'true', class: 'swatch' });
  if (!line.scatter)
    picture.append(
      svg('line', {
        x1: 1,
        y1: 5,
        x2: 21,
        y2: 5,
        stroke: line.colour,
        'stroke-width': 2,
        'stroke-dasharray': DASHES[line.dash]!.join(' '),
      }),
    );
  if (line.points) picture.append(svg('path', { d: shapePath(line.shape, 11, 5, 3.2), fill: line.colour }));
  return picture;
}

/** The badge of a run: its marker in its colour. */
export function badge(shape: Shape, colour: string): SVGElement {
  const picture = svg('svg', { viewBox: '0 0 14 14', width: 14, height: 14, 'aria-hidden': 'true', class: 'badge' });
  picture.append(svg('path', { d: shapePath(shape, 7, 7, 4.6), fill: colour }));
  return picture;
}
