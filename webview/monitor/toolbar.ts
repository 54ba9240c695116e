import { button, element } from '../page/element.js';
import type { XAxis } from './runData.js';
import { t } from '../page/strings.js';

export interface Settings {
  smoothing: number;
  axis: XAxis;
}

const MAX_SMOOTHING = 0.99;

/** Smoothing and horizontal axis of all charts over time. */
export class Toolbar {
  readonly root: HTMLElement;
  #reset: HTMLButtonElement;

  constructor(settings: Settings, change: (part: Partial<Settings>) => void, resetZoom: () => void) {
    const output = element('output', { text: settings.smoothing.toFixed(2) });
    const slider = element('input', {
      type: 'range',
      min: '0',
      max: String(MAX_SMOOTHING),
      step: '0.01',
      value: String(settings.smoothing),
      id: 'smoothing',
    });
    slider.addEventListener('input', () => {
      output.textContent = Number(slider.value).toFixed(2);
      change({ smoothing: Number(slider.value) });
    });
    const axes: [XAxis, string][] = [
      ['step', t('Step')],
      ['epoch', t('Epoch')],
      ['time', t('Time')],
    ];
    const radios = axes.map(([axis, name]) => {
      const input = element('input', {
        type: 'radio',
        name: 'axis',
        value: axis,
        id: `axis-${axis}`,
        checked: axis === settings.axis,
      });
      input.addEventListener('change', () => change({ axis }));
      return [input, element('label', { for: `axis-${axis}`, text: name })];
    });
    this.#reset = button({ icon: 'zoom', text: t('Reset zoom'), label: t('Show the whole run (Escape)') }, resetZoom);
    this.#reset.hidden = true;
    this.root = element(
      'div',
      { class: 'toolbar', role: 'toolbar', 'aria-label': t('Chart settings') },
      element('div', { class: 'field' }, element('label', { for: 'smoothing', text: t('Smoothing') }), slider, output),
      element(
        'fieldset',
        { class: 'segmented' },
        element('legend', { class: 'visually-hidden', text: t('Horizontal axis') }),
        ...radios.flat(),
      ),
      this.#reset,
    );
  }

  set zoomed(zoomed: boolean) {
    this.#reset.hidden = !zoomed;
  }
}
