import type { LayerPicture } from '../../daemon/protocol/messages.js';
import { element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import { t } from '../page/strings.js';
import type { Theme } from '../page/theme.js';

/** Grid of the inputs: an image's own shape, or nearly square. */
export function pictureGrid(picture: LayerPicture): { rows: number; columns: number; isImage: boolean } {
  const inputs = picture.keptPerInput.length;
  const [height, width] = picture.inputImage ?? [];
  if (height && width && inputs % (height * width) === 0) return { rows: height, columns: width, isImage: true };
  const columns = Math.ceil(Math.sqrt(inputs * 1.6));
  return { rows: Math.ceil(inputs / columns), columns, isImage: false };
}

/** Kept weights per cell; the channels of an image add up. */
export function cellCounts(picture: LayerPicture): number[] {
  const { rows, columns, isImage } = pictureGrid(picture);
  if (!isImage) return picture.keptPerInput;
  const cells = new Array<number>(rows * columns).fill(0);
  const channels = picture.keptPerInput.length / cells.length;
  picture.keptPerInput.forEach((kept, i) => {
    cells[Math.floor(i / channels)]! += kept;
  });
  return cells;
}

/** Which inputs the pruned layer still uses: one cell an input, brighter with more kept weights. */
export class SparsityPicture {
  readonly root: HTMLElement;
  #canvas = element('canvas', { class: 'sparsity', role: 'img', 'aria-label': t('Kept weights') });
  #caption = element('figcaption');
  #hover = element('div', { class: 'hover-value', 'aria-hidden': 'true' });
  #picture: LayerPicture | null = null;

  constructor(private theme: Theme) {
    this.root = element('figure', { class: 'sparsity-figure' }, this.#canvas, this.#caption, this.#hover);
    this.#canvas.addEventListener('mousemove', (event) => this.#point(event));
    this.#canvas.addEventListener('mouseleave', () => (this.#hover.textContent = ''));
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    if (this.#picture) this.show(this.#picture);
  }

  show(picture: LayerPicture): void {
    this.#picture = picture;
    const { rows, columns, isImage } = pictureGrid(picture);
    const cells = cellCounts(picture);
    const most = Math.max(1, ...cells);
    const cell = Math.max(2, Math.floor(224 / Math.max(rows, columns)));
    this.#canvas.width = columns * cell;
    this.#canvas.height = rows * cell;
    const ctx = this.#canvas.getContext('2d')!;
    ctx.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    cells.forEach((kept, i) => {
      const x = (i % columns) * cell;
      const y = Math.floor(i / columns) * cell;
      ctx.globalAlpha = kept === 0 ? 0.06 : 0.25 + 0.75 * Math.sqrt(kept / most);
      ctx.fillStyle = kept === 0 ? this.theme.foreground : this.theme.palette[0]!;
      ctx.fillRect(x, y, cell - (cell > 3 ? 1 : 0), cell - (cell > 3 ? 1 : 0));
    });
    ctx.globalAlpha = 1;
    const used = cells.filter((kept) => kept > 0).length;
    this.#caption.textContent = isImage
      ? t(
          '{0} of {1} pixels ({2}) still reach the layer',
          count(used),
          count(cells.length),
          percent(used / cells.length, 0),
        )
      : t(
          '{0} of {1} inputs ({2}) still reach the layer',
          count(used),
          count(cells.length),
          percent(used / cells.length, 0),
        );
    this.#canvas.setAttribute('aria-label', `${picture.layer}: ${this.#caption.textContent}`);
  }

  #point(event: MouseEvent): void {
    if (!this.#picture) return;
    const { rows, columns, isImage } = pictureGrid(this.#picture);
    const box = this.#canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const kept = cellCounts(this.#picture)[row * columns + column];
    if (kept === undefined) return;
    this.#hover.textContent = isImage
      ? t('row {0}, column {1}: {2} kept', row, column, count(kept))
      : t('input {0}: {1} kept', row * columns + column, count(kept));
  }
}
