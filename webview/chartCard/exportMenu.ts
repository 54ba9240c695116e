/** The menu that saves a chart as a picture or its values as a file. */
import { button, element, icon } from '../page/element.js';
import { t } from '../page/strings.js';

/** Writers by format; the format's name is the file's extension. */
export type Exports = readonly (readonly [format: string, make: () => Promise<Uint8Array> | Uint8Array])[];

/** @param save takes the file's extension and its bytes. */
export function exportMenu(
  title: string,
  exports: Exports,
  save: (ending: string, data: Uint8Array) => void,
): HTMLElement {
  const menu = element('details', { class: 'menu' });
  const items = exports.map(([format, make]) =>
    button({ text: format, label: t('Export {0} as {1}', title, format), class: 'menu-item' }, () => {
      menu.open = false;
      void Promise.resolve(make()).then((bytes) => save(format.toLowerCase(), bytes));
    }),
  );
  menu.append(
    element(
      'summary',
      { class: 'quiet', title: t('Export {0}', title), 'aria-label': t('Export {0}', title) },
      icon('save'),
    ),
    element('div', { class: 'menu-items' }, ...items),
  );
  menu.addEventListener('focusout', (event) => {
    if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  return menu;
}
