import { element } from '../page/element.js';
import { percent } from '../page/format.js';
import { t } from '../page/strings.js';
import { svg } from './drawing.js';
import { STEPS } from './keptShare.js';

/** Meaning of the colours; every box shows its share in digits too. */
export function legend(): HTMLElement {
  const ends = [0, ...STEPS.slice(0, -1), 1];
  const texts = [
    t('up to {0} kept', percent(STEPS[0])),
    ...[1, 2].map((i) => `${percent(ends[i])} – ${percent(ends[i + 1])}`),
    t('{0} and more', percent(ends[3])),
    t('all kept'),
  ];
  const entry = (look: string, text: string) =>
    element(
      'span',
      { class: 'network-entry' },
      svg(
        'svg',
        { width: 14, height: 14, 'aria-hidden': 'true' },
        svg('rect', { class: `kept-mark ${look}`, x: 1, y: 1, width: 12, height: 12, rx: 2 }),
      ) as unknown as HTMLElement,
      text,
    );
  return element(
    'div',
    { class: 'network-legend' },
    ...texts.map((text, step) => entry(`step-${step}`, text)),
    entry('none', t('not pruned')),
  );
}
