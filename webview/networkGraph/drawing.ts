import type { Layer } from './graph.js';
import { NODE } from './layout.js';

const SVG = 'http://www.w3.org/2000/svg';

export function svg(
  tag: string,
  attributes: Record<string, string | number>,
  ...inside: (Node | string)[]
): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...inside);
  return node;
}

/** Characters that fit into a box, at the widths of common fonts. */
export const LETTERS = 27;
export const clipped = (text: string, letters = LETTERS): string =>
  text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;

export const shapeText = ({ outputShape }: Layer): string =>
  outputShape?.map((extent) => extent ?? '?').join(' × ') ?? '?';

/** A box with three lines of text and a bar of its kept share. @param several drawn as a stack. */
export function drawBox(lines: readonly string[], { x, y }: { x: number; y: number }, several: boolean): SVGElement {
  const [left, top] = [-NODE.width / 2, -NODE.height / 2];
  const frame = (by: number) =>
    svg('rect', { class: 'box', x: left + by, y: top - by, width: NODE.width, height: NODE.height, rx: 5 });
  const texts = lines.map((content, line) =>
    svg('text', { class: ['name', '', 'facts'][line]!, x: left + 20, y: top + 19 + 18 * line }, content),
  );
  return svg(
    'g',
    { class: 'network-box', role: 'option', tabindex: -1, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    ...(several ? [frame(6), frame(3)] : []),
    frame(0),
    svg('rect', { class: 'kept-mark', x: left + 5, y: top + 6, width: 8, height: NODE.height - 12, rx: 2 }),
    // A space between them: a screen reader then reads separate lines, not one word.
    ...texts.flatMap((line) => [line, ' ']),
  );
}
