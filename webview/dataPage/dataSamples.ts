import type { DataPreview, InputShown } from '../../daemon/protocol/dataChoice.js';
import { rounded, significant } from '../../daemon/protocol/format.js';
import { element } from '../page/element.js';
import { t } from '../page/strings.js';

/** Size to which small pictures are enlarged, in pixels of the page. */
const SIDE = 96;

type Image = NonNullable<InputShown['image']>;

/** RGB bytes of one sample as a picture. */
export function picture(base64: string, [height, width]: Image): HTMLCanvasElement {
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

/** A value of a sample. */
export const shownNumber = (value: number | null): string => (value === null ? t('not finite') : significant(value));

/** Most numbers shown beside each other. */
const COLUMNS = 12;

/** @param columns names of the first values. @param label of the region. */
function rows({ values: samples }: InputShown, answers: readonly string[], columns: readonly string[], label: string) {
  const count = samples[0]?.length ?? 0;
  const width = Math.min(COLUMNS, count);
  const heads = Array.from({ length: width }, (_, i) => columns[i] ?? String(i + 1));
  const more = count > width;
  const head = (text: string, number: boolean) =>
    element('th', { scope: 'col', ...(number && { class: 'number' }), text });
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
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
        ...samples.map((values, i) =>
          element(
            'tr',
            {},
            element('th', { scope: 'row', text: answers[i]! }),
            ...values.slice(0, width).map((value) => element('td', { class: 'number', text: shownNumber(value) })),
            more && element('td', { text: '…' }),
          ),
        ),
      ),
    ),
  );
}

function pictures({ pictures: samples }: InputShown, answers: readonly string[], image: Image, label: string) {
  return element(
    'div',
    { class: 'pictures', role: 'list', 'aria-label': label },
    ...samples.map((sample, i) =>
      element('figure', { role: 'listitem' }, picture(sample, image), element('figcaption', { text: answers[i]! })),
    ),
  );
}

const factsOf = ({ shape, range }: InputShown): HTMLElement =>
  element('p', {
    class: 'note',
    text: t('[{0}], values from {1} to {2}', shape.join(', '), ...range.map((value) => rounded(value, 4))),
  });

/**
 * The samples with their targets, as the model gets them: pictures if they are images, else rows of numbers; one below the other if the model has
 * several inputs.
 */
export function dataSamples({ inputs, answers, fields }: DataPreview): HTMLElement[] {
  const several = inputs.length > 1;
  return inputs.flatMap((input, i) => {
    const label = several ? t('Samples of {0}', input.name) : t('Samples');
    const columns = fields?.kind === 'columns' ? (fields.inputs[i] ?? []) : [];
    return [
      ...(several ? [element('h3', { text: input.name })] : []),
      factsOf(input),
      input.image ? pictures(input, answers, input.image, label) : rows(input, answers, columns, label),
    ];
  });
}
