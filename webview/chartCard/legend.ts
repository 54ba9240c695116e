/** The legend of a chart: its kinds of lines, toggled by a press, each with a value. */
import { element } from '../page/element.js';
import { t } from '../page/strings.js';
import { swatch } from '../page/swatch.js';
import type { LegendEntry } from '../chart/curves.js';

/** A legend entry, and what pressing it does. */
function titleOf({ hint, label, shown }: LegendEntry, toggles: boolean): string | undefined {
  const action = toggles ? (shown ? t('Hide {0}', label) : t('Show {0}', label)) : undefined;
  return [hint, action].filter(Boolean).join('\n') || undefined;
}

export class Legend {
  readonly root = element('div', { class: 'legend' });
  #values = new Map<string, HTMLElement>();
  #key = '';

  /** @param toggle hides or shows the lines of a kind; absent: the legend only explains. */
  constructor(private readonly toggle: ((kind: string) => void) | undefined) {}

  /** After a change of colours: the next `show` draws all entries again. */
  forget(): void {
    this.#key = '';
  }

  /** Draws only if the entries have changed; the focus stays. */
  show(entries: readonly LegendEntry[]): void {
    const key = JSON.stringify(entries.map((e) => [e.kind, e.shown, e.lines.map((l) => [l.id, l.colour, l.label])]));
    if (key === this.#key) return;
    this.#key = key;
    this.#values.clear();
    const focused = this.root.contains(document.activeElement)
      ? document.activeElement?.getAttribute('data-kind')
      : null;
    this.root.replaceChildren(...entries.map((entry) => this.#item(entry)));
    if (focused) this.root.querySelector<HTMLElement>(`[data-kind="${CSS.escape(focused)}"]`)?.focus();
  }

  #item(entry: LegendEntry): HTMLElement {
    const { toggle } = this;
    const item = element(
      toggle ? 'button' : 'span',
      {
        class: 'legend-item',
        'data-kind': entry.kind,
        ...(toggle && {
          type: 'button',
          'aria-pressed': String(entry.shown),
          on: { click: () => toggle(entry.kind) },
        }),
        title: titleOf(entry, toggle !== undefined),
      },
      ...(entry.lines.length === 1 ? [swatch(entry.lines[0]!)] : []),
      element('span', { class: 'legend-label', text: entry.label }),
    );
    for (const line of entry.shown ? entry.lines : []) {
      const value = element('span', { class: 'legend-value' });
      this.#values.set(line.id, value);
      item.append(entry.lines.length > 1 ? element('span', { class: 'legend-pair' }, swatch(line), value) : value);
    }
    return item;
  }

  /** @param line id of a line on show. */
  setValue(line: string, text: string): void {
    const value = this.#values.get(line);
    if (value) value.textContent = text;
  }

  valueOf(line: string): string {
    return this.#values.get(line)?.textContent ?? '';
  }
}
