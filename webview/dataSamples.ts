import type { DataPreview } from '../daemon/protocol/dataChoice.js';
import { element } from './element.js';
import { t } from './strings.js';

/** Small pictures are drawn this large, in pixels of the page. */
const SIDE = 96;

/** RGB bytes of one sample as a picture. */
function picture(base64: string, [height, width]: readonly [number, number, number]): HTMLCanvasElement {
  const zoom = Math.max(1, Math.floor(SIDE / Math.max(height, width)));
  const canvas = element('canvas', { width: width * zoom, height: height * zoom, 'aria-hidden': 'true' });
  const context = canvas.getContext('2d')!;
  const text = atob(base64);
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * pixel + channel] = text.charCodeAt(3 * pixel + channel);
    image.data[4 * pixel + 3] = 255;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d')!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, width * zoom, height * zoom);
  return canvas;
}

const shown = (value: number | null): string =>
  value === null ? t('not finite') : String(Number(value.toPrecision(4)));

/** Columns of numbers that fit beside each other. */
const COLUMNS = 12;

function rows({ fields, samples }: DataPreview): HTMLElement {
  const width = Math.min(COLUMNS, samples[0]?.values.length ?? 0);
  const inputs = fields?.kind === 'columns' ? (fields.inputs[0] ?? []) : [];
  const heads = Array.from({ length: width }, (_, i) => inputs[i] ?? String(i + 1));
  const more = (samples[0]?.values.length ?? 0) > width;
  const head = (text: string, number: boolean) =>
    element('th', { scope: 'col', ...(number && { class: 'number' }), text });
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('Samples') },
    element(
      'table',
      { class: 'layers samples' },
      element(
        'thead',
        {},
        element('tr', {}, head(t('Answer'), false), ...heads.map((text) => head(text, true)), more && head('…', false)),
      ),
      element(
        'tbody',
        {},
        ...samples.map(({ label, values }) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row', text: label }),
            ...values.slice(0, width).map((value) => element('td', { class: 'number', text: shown(value) })),
            more && element('td', { text: '…' }),
          ),
        ),
      ),
    ),
  );
}

/** The samples with their answers: pictures where they are, else rows of numbers, as the model sees them. */
export function dataSamples(preview: DataPreview): HTMLElement {
  const { image, samples } = preview;
  if (!image) return rows(preview);
  return element(
    'div',
    { class: 'pictures', role: 'list', 'aria-label': t('Samples') },
    ...samples.map((sample) =>
      element(
        'figure',
        { role: 'listitem' },
        picture(sample.picture, image),
        element('figcaption', { text: sample.label }),
      ),
    ),
  );
}
