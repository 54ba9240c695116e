import type { Locator, Page } from 'playwright-core';
import type { Shot } from './picture.js';

/** Records a window step by step, with a pointer, because a window without a screen has none. */
export class Movie {
  readonly #shots: Shot[] = [];
  readonly #running: Buffer[] = [];

  private constructor(private readonly page: Page) {}

  static async start(page: Page): Promise<Movie> {
    await page.evaluate(() => {
      const pointer = document.createElement('div');
      pointer.id = 'movie-pointer';
      const { style } = pointer;
      style.position = 'fixed';
      style.zIndex = '100000';
      style.width = '22px';
      style.height = '30px';
      style.background = '#ffffff';
      style.clipPath = 'polygon(0 0, 0 78%, 26% 60%, 44% 100%, 62% 92%, 45% 54%, 82% 54%)';
      style.pointerEvents = 'none';
      style.left = '60%';
      style.top = '70%';
      document.body.append(pointer);
    });
    return new Movie(page);
  }

  /** Moves the pointer, and the mouse with it, onto something. */
  async pointAt(target: Locator): Promise<void> {
    const box = (await target.boundingBox())!;
    const [x, y] = [box.x + Math.min(box.width / 2, 60), box.y + box.height / 2];
    await this.page.mouse.move(x, y);
    await this.page.evaluate(
      ([left, top]) => {
        const { style } = document.getElementById('movie-pointer')!;
        style.left = `${left}px`;
        style.top = `${top}px`;
      },
      [x, y] as const,
    );
  }

  async frame(milliseconds: number): Promise<void> {
    this.#shots.push({ png: await this.page.screenshot(), milliseconds });
  }

  /** Records until a condition holds. @param most frames that are kept, at even distances. @param each time for which each is shown. */
  async watch(isThere: () => Promise<boolean>, { most, each, limit }: { most: number; each: number; limit: number }): Promise<void> {
    const end = Date.now() + limit;
    this.#running.length = 0;
    while (!(await isThere())) {
      if (Date.now() > end) throw new Error(`What the movie ends with was not there within ${limit / 1000} s.`);
      this.#running.push(await this.page.screenshot());
      await this.page.waitForTimeout(700);
      // If there are many frames, every other one is dropped, and the distance between them doubles.
      if (this.#running.length > 8 * most) this.#thin();
    }
    const last = this.#running.length - 1;
    const kept = Math.min(most, this.#running.length);
    for (let i = 0; i < kept; i++)
      this.#shots.push({ png: this.#running[kept === 1 ? last : Math.round((i * last) / (kept - 1))]!, milliseconds: each });
  } // prettier-ignore

  async end(): Promise<readonly Shot[]> {
    await this.page.evaluate(() => document.getElementById('movie-pointer')?.remove());
    return this.#shots;
  }

  #thin(): void {
    const every = this.#running.filter((_, i) => i % 2 === 0);
    this.#running.splice(0, this.#running.length, ...every);
  }
}
