import { button, element } from '../page/element.js';
import { t } from '../page/strings.js';

/** A button that opens and closes the help of a chart, and the text. @param id of the chart, unique in the page. */
export function helpOn(
  title: string,
  id: string,
  paragraphs: readonly string[],
): { button: HTMLButtonElement; text: HTMLElement } {
  const text = element(
    'div',
    { class: 'chart-help', id: `help-${id}`, hidden: true },
    ...paragraphs.map((paragraph) => element('p', { text: paragraph })),
  );
  const made = button({ text: '?', label: t('What the chart shows'), class: 'quiet word' }, () => {
    text.hidden = !text.hidden;
    made.setAttribute('aria-expanded', String(!text.hidden));
  });
  made.setAttribute('aria-label', t('Help on {0}', title));
  made.setAttribute('aria-expanded', 'false');
  made.setAttribute('aria-controls', text.id);
  return { button: made, text };
}
