import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { ROOT } from './sample.js';

/** Polls until `read` returns `wanted`; fails with the last value. */
export async function expectEventually<T>(read: () => Promise<T>, wanted: T, timeout = 30_000): Promise<void> {
  const end = Date.now() + timeout;
  let last: unknown;
  while (Date.now() < end) {
    try {
      last = await read();
      if (last === wanted) return;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`Expected ${String(wanted)} within ${timeout / 1000} s; the last value was ${String(last)}.`);
}

/** Takes a screenshot for later inspection; skips it if the page is too busy to draw. */
export async function artifact(page: Page | undefined, name: string): Promise<void> {
  await mkdir(join(ROOT, 'artifacts'), { recursive: true });
  await page?.screenshot({ path: join(ROOT, 'artifacts', `${name}.png`), timeout: 10_000 }).catch(() => {});
}
