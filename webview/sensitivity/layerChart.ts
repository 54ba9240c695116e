import type { LayerSensitivity } from '../../daemon/protocol/layers/sensitivity.js';
import { significant } from '../../daemon/protocol/format.js';
import { element } from '../page/element.js';
import { count, percent, percentTick } from '../page/format.js';
import { linearScale, logScale } from '../pathCard/pathCurve.js';
import { t } from '../page/strings.js';
import { svg } from '../page/svg.js';
import { afterKey, curveOf, errorAt, heldBy, LEAST, rounded } from './floor.js';

/** The same as in sensitivity.css: nothing is scaled, so letters keep their shape. */
const WIDTH = 288;
const HEIGHT = 150;
const BOX = { left: 44, right: WIDTH - 12, top: 12, bottom: HEIGHT - 24 };

interface Options {
  readonly reference: number | null;
  readonly increase: number;
  /** The highest error over all layers: all charts have the same axes, so that they can be compared. */
  readonly highest: number;
  /** null: floors cannot be set. */
  readonly changed: ((floor: number) => void) | null;
}

/** Error against kept share of one layer, and its floor: dragged, or moved with the keys. */
export class LayerChart {
  readonly root: HTMLElement;
  #floor = 0;
  #x = logScale(LEAST, 1, BOX.left + 8, BOX.right);
  #plot = svg('svg', { width: WIDTH, height: HEIGHT, class: 'sensitivity-plot' });
  #held = svg('rect', { class: 'held', x: BOX.left, y: BOX.top, height: BOX.bottom - BOX.top });
  #knob = svg('g', { class: 'floor-knob', role: 'slider', tabindex: 0, 'aria-valuemin': 0, 'aria-valuemax': 100 });
  #text = element('p', { class: 'floor-text' });
  #curve: { share: number; error: number }[];

  constructor(
    private readonly layer: LayerSensitivity,
    private readonly options: Options,
  ) {
    const { reference, increase, changed } = options;
    this.#curve = curveOf(layer, reference);
    this.#knob.setAttribute('aria-label', t('Floor of {0}', layer.layer));
    this.#knob.append(
      svg('path', { d: `M0 ${BOX.top}V${BOX.bottom}`, class: 'floor-line' }),
      svg('path', { d: `M-7 ${BOX.top - 8}H7V${BOX.top + 2}L0 ${BOX.top + 9}L-7 ${BOX.top + 2}z`, class: 'floor-handle' }), // prettier-ignore
    );
    this.#draw();
    const within = t('within +{0}', percent(increase));
    const needed = layer.needed === 1 ? t('{0}: all of it', within) : t('{0} down to {1}', within, percent(layer.needed));
    this.root = element(
      'section',
      { class: 'card sensitivity-layer', 'aria-label': layer.layer },
      element('h2', { text: layer.layer }),
      element('p', { class: 'subtitle', text: `${t('{0} weights', count(layer.weights))} · ${needed}` }),
      this.#plot as unknown as HTMLElement,
      changed && this.#text,
      this.#table(),
    );
    if (changed) {
      this.#plot.append(this.#held, this.#knob);
      this.#plot.classList.add('movable');
      this.#knob.addEventListener('keydown', (event) => this.#keyed(event as KeyboardEvent));
      this.#plot.addEventListener('pointerdown', (event) => {
        if (event.button !== 0) return;
        this.#plot.setPointerCapture(event.pointerId);
        this.#dragged(event);
        (this.#knob).focus();
      });
      this.#plot.addEventListener('pointermove', (event) => event.buttons === 1 && this.#dragged(event));
    }
    this.set(0);
  } // prettier-ignore

  get floor(): number {
    return this.#floor;
  }

  /** Does not call `changed`. */
  set(floor: number): void {
    this.#floor = floor;
    const place = floor > 0 ? this.#x.at(Math.max(LEAST, floor)) : BOX.left;
    this.#knob.setAttribute('transform', `translate(${place.toFixed(1)} 0)`);
    this.#held.setAttribute('width', String(Math.max(0, place - BOX.left)));
    const text = this.#floorText();
    this.#knob.setAttribute('aria-valuenow', significant(100 * floor));
    this.#knob.setAttribute('aria-valuetext', text);
    this.#text.textContent = text;
  }

  #floorText(): string {
    if (this.#floor === 0) return t('No floor');
    const error = errorAt(this.#curve, this.#floor);
    const held = t('Floor {0} = {1} weights', percent(this.#floor), count(heldBy(this.layer, this.#floor)));
    return `${held} · ${error === null ? t('not measured there') : t('alone there about {0} error', percent(error))}`;
  }

  #draw(): void {
    const { reference, highest } = this.options;
    const y = linearScale(0, highest || 1, BOX.bottom, BOX.top);
    const shown = y.ticks.filter((_, i) => y.ticks.length <= 4 || i % 2 === 0);
    const line = this.#curve.map(({ share, error }, i) => `${i ? 'L' : 'M'}${this.#x.at(share).toFixed(1)} ${y.at(error).toFixed(1)}`).join(''); // prettier-ignore
    this.#plot.setAttribute('aria-label', t('Error against kept share of {0}', this.layer.layer));
    this.#plot.setAttribute('role', 'group');
    this.#plot.append(
      ...shown.flatMap((tick) => [
        svg('path', { d: `M${BOX.left} ${y.at(tick)}H${BOX.right}`, class: 'grid-line' }),
        svg('text', { x: BOX.left - 5, y: y.at(tick) + 4, 'text-anchor': 'end' }, percentTick(tick)),
      ]),
      ...[LEAST, 0.01, 0.1, 1].map((tick) =>
        svg('text', { x: this.#x.at(tick), y: BOX.bottom + 16, 'text-anchor': tick === 1 ? 'end' : 'middle' }, percentTick(tick)),
      ),
      ...(reference === null ? [] : [svg('path', { d: `M${BOX.left} ${y.at(reference)}H${BOX.right}`, class: 'reference-line' })]),
      svg('path', { d: line, class: 'curve' }),
      ...this.#curve.map(({ share, error }) => svg('circle', { cx: this.#x.at(share), cy: y.at(error), r: 3, class: 'point' })),
    );
  } // prettier-ignore

  /** The points in digits, for screen readers. */
  #table(): HTMLElement {
    const row = (share: string, error: string) =>
      element('tr', {}, element('th', { scope: 'row', text: share }), element('td', { text: error }));
    return element(
      'table',
      { class: 'visually-hidden' },
      element('caption', { text: t('Error of {0} by kept share', this.layer.layer) }),
      ...[...this.layer.points].map(({ share, error }) => row(percent(share), error === null ? 'NaN' : percent(error))),
    );
  }

  #keyed(event: KeyboardEvent): void {
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : afterKey(event.key, this.#floor);
    if (next === null) return;
    event.preventDefault();
    this.#change(next);
  }

  #dragged(event: PointerEvent): void {
    const place = event.clientX - this.#plot.getBoundingClientRect().left;
    this.#change(rounded(this.#x.of(place)));
  }

  #change(floor: number): void {
    if (floor === this.#floor) return;
    this.set(floor);
    this.options.changed?.(floor);
  }
}
