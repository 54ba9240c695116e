import { slack } from './layout.js';

const alignment = 16;

/** Places tensors of known lifetimes in one buffer; space is used again once its tensor has been read for the last time. */
export class Arena {
  /** Free spans, by offset. */
  #free: { start: number; end: number }[] = [];
  #size = 0;

  get size(): number {
    return this.#size + slack;
  }

  /** @param floats size of the tensor. @returns its offset. */
  take(floats: number): number {
    const size = Arena.#rounded(floats);
    const fits = this.#free.filter(({ start, end }) => end - start >= size);
    const best = fits.reduce<(typeof fits)[number] | undefined>(
      (a, b) => (a && a.end - a.start <= b.end - b.start ? a : b),
      undefined,
    );
    if (!best) {
      const last = this.#free.at(-1);
      const start = last?.end === this.#size ? last.start : this.#size;
      if (last && start === last.start) this.#free.pop();
      this.#size = start + size;
      return start;
    }
    const { start } = best;
    best.start += size;
    this.#free = this.#free.filter((span) => span.end > span.start);
    return start;
  }

  /** Gives back what `take(floats)` returned. */
  give(start: number, floats: number): void {
    const spans = [...this.#free, { start, end: start + Arena.#rounded(floats) }].sort((a, b) => a.start - b.start);
    this.#free = [];
    for (const span of spans) {
      const last = this.#free.at(-1);
      if (last?.end === span.start) last.end = span.end;
      else this.#free.push(span);
    }
  }

  static #rounded(floats: number): number {
    return Math.ceil((floats + slack) / alignment) * alignment;
  }
}
