import { element } from '../page/element.js';
import type { Line } from '../chart/line.js';
import { swatch } from '../page/swatch.js';
import { t } from '../page/strings.js';

/** Most lines of the label: more would hide the chart. */
const MAX_LINES = 8;
/** Pixels between the crosshair and the label. */
const GAP = 10;

export interface CursorValue {
  readonly line: Line;
  readonly value: string;
}

/**
 * The values under the crosshair, beside it: the step, and every line with the name of its run. Hidden from screen readers, for which a live region
 * has the same text.
 */
export class CursorLabel {
  readonly root = element('div', { class: 'cursor-label', 'aria-hidden': 'true', hidden: true });

  hide(): void {
    this.root.hidden = true;
  }

  /** @param left pixels from the plot's left border. */
  show(head: string, values: readonly CursorValue[], left: number): void {
    const shown = values.slice(0, MAX_LINES);
    this.root.replaceChildren(
      element('strong', { text: head }),
      ...shown.map(({ line, value }) =>
        element(
          'div',
          {},
          swatch(line),
          element('span', { text: line.label }),
          element('span', { class: 'legend-value', text: value }),
        ),
      ),
      ...(values.length > shown.length
        ? [element('div', { text: t('and {0} more', values.length - shown.length) })]
        : []),
    );
    this.root.hidden = false;
    const room = this.root.parentElement?.clientWidth ?? 0;
    const width = this.root.offsetWidth;
    const beside = left + GAP + width <= room ? left + GAP : Math.max(0, left - GAP - width);
    this.root.style.setProperty('left', `${beside}px`);
  }
}
