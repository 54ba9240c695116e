/** A small picture that the user draws with the mouse, a pen or the arrow keys. */
import type { InputForm } from '../../daemon/protocol/whatChanged.js';
import { element } from '../page/element.js';
import { t } from '../page/strings.js';

/** Size of the longer side, in pixels of the page. */
const SIDE = 224;
/** Radius of the pen, in pixels of the picture of 28 rows. */
const PEN = 1.15;
/** In pixels of any picture: the middle of a stroke is full ink. */
const THINNEST = 0.8;

/** Whether a user can draw such an input: one channel, and few pixels. */
export const canDraw = ({ image }: InputForm): boolean =>
  image !== null && image[2] === 1 && Math.max(image[0], image[1]) <= 64;

export class DrawPad {
  readonly root: HTMLElement;
  /** Ink of each pixel, in [0, 1]. */
  #ink: Float32Array;
  #canvas: HTMLCanvasElement;
  #last: [x: number, y: number] | null = null;
  /** Position of the keyboard's pen. */
  #cursor: [x: number, y: number];
  #height: number;
  #width: number;

  constructor(private readonly input: InputForm) {
    [this.#height, this.#width] = input.image!;
    this.#ink = new Float32Array(this.#height * this.#width);
    this.#cursor = [this.#width / 2, this.#height / 2];
    const zoom = Math.max(1, Math.floor(SIDE / Math.max(this.#height, this.#width)));
    this.#canvas = element('canvas', {
      width: this.#width * zoom,
      height: this.#height * zoom,
      class: 'draw-pad',
      tabindex: 0,
      role: 'img',
      'aria-label': t('Drawing area: draw with the pointer, or move with the arrow keys and draw with Shift'),
      on: {
        pointerdown: (event) => this.#down(event as PointerEvent),
        pointermove: (event) => this.#move(event as PointerEvent),
        pointerup: () => (this.#last = null),
        pointercancel: () => (this.#last = null),
        keydown: (event) => this.#key(event as KeyboardEvent),
        focus: () => this.#paint(),
        blur: () => this.#paint(),
      },
    });
    this.root = this.#canvas;
    this.#paint();
  }

  clear(): void {
    this.#ink.fill(0);
    this.#paint();
  }

  get isEmpty(): boolean {
    return this.#ink.every((ink) => ink === 0);
  }

  /** The drawing as the data stores its pictures: on its background value, with the other end of its range as ink. */
  values(): number[] {
    const { background, stored } = this.input;
    const [low, high] = stored;
    const ink = high - background >= background - low ? high : low;
    return Array.from(this.#ink, (share) => background + share * (ink - background));
  }

  #at(event: PointerEvent): [number, number] {
    const box = this.#canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.#width, ((event.clientY - box.top) / box.height) * this.#height];
  } // prettier-ignore

  #down(event: PointerEvent): void {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#stroke(this.#at(event), null);
  }

  #move(event: PointerEvent): void {
    if (this.#last) this.#stroke(this.#at(event), this.#last);
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const from: [number, number] = [...this.#cursor];
    const within = (value: number, most: number) => Math.min(most - 0.5, Math.max(0.5, value));
    this.#cursor = [within(from[0] + step[0], this.#width), within(from[1] + step[1], this.#height)];
    if (event.shiftKey) this.#stroke(this.#cursor, from);
    else this.#paint();
    this.#last = null;
  }

  /** A round pen with a soft edge along a line. */
  #stroke(to: [number, number], from: [number, number] | null): void {
    this.#last = to;
    const radius = Math.max(THINNEST, (PEN * Math.max(this.#height, this.#width)) / 28);
    const [ax, ay] = from ?? to;
    const [dx, dy] = [to[0] - ax, to[1] - ay];
    const length = dx * dx + dy * dy;
    for (let y = 0; y < this.#height; y++)
      for (let x = 0; x < this.#width; x++) {
        const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
        const along = length > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        const distance = Math.hypot(px - along * dx, py - along * dy);
        const ink = Math.min(1, Math.max(0, radius + 0.5 - distance));
        const at = y * this.#width + x;
        this.#ink[at] = Math.max(this.#ink[at]!, ink);
      }
    this.#paint();
  }

  #paint(): void {
    const context = this.#canvas.getContext('2d')!;
    const { background, stored } = this.input;
    const range = stored[1] - stored[0] || 1;
    const zoom = this.#canvas.width / this.#width;
    this.values().forEach((value, at) => {
      const grey = Math.round((255 * (value - stored[0])) / range);
      context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      context.fillRect((at % this.#width) * zoom, Math.floor(at / this.#width) * zoom, zoom, zoom);
    });
    if (document.activeElement !== this.#canvas) return;
    context.strokeStyle = (background - stored[0]) / range > 0.5 ? 'black' : 'white';
    context.strokeRect((this.#cursor[0] - 1) * zoom, (this.#cursor[1] - 1) * zoom, 2 * zoom, 2 * zoom);
  }
}
