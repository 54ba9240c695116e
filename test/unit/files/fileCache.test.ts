import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FileCache } from '../../../daemon/files/fileCache.js';
import { stampFile, type FileStamps } from '../../../daemon/files/fileStamps.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-cache-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** A reader of files of the folder, counted. */
function reader(...names: string[]) {
  return vi.fn(async (stamps: FileStamps) => {
    for (const name of names) stampFile(stamps, join(folder, name));
    return names.join();
  });
}

it('reads once, and again when any of the files has changed, or appears', async () => {
  const cache = new FileCache<string>({ kept: 2 });
  const read = reader('a', 'b');
  await writeFile(join(folder, 'a'), '1');
  expect(cache.known('key')).toBeNull();
  expect(await cache.get('key', read)).toBe('a,b');
  expect(await cache.get('key', read)).toBe('a,b');
  expect(cache.known('key')).toEqual({ value: 'a,b' });
  expect(read).toHaveBeenCalledTimes(1);
  await writeFile(join(folder, 'b'), '2');
  expect(cache.known('key')).toBeNull();
  await cache.get('key', read);
  expect(read).toHaveBeenCalledTimes(2);
});

it('shares one read among those who ask meanwhile, and keeps no failure', async () => {
  const cache = new FileCache<string>({ kept: 2 });
  const fails = vi.fn(() => Promise.reject(new Error('not now')));
  const both = [cache.get('key', fails), cache.get('key', fails)];
  for (const one of both) await expect(one).rejects.toThrow('not now');
  expect(fails).toHaveBeenCalledTimes(1);
  expect(await cache.get('key', reader('a'))).toBe('a');
});

it('lets the least recently used go', async () => {
  const cache = new FileCache<string>({ kept: 2 });
  for (const key of ['one', 'two']) await cache.get(key, reader(key));
  await cache.get('one', reader('one'));
  await cache.get('three', reader('three'));
  expect(['one', 'two', 'three'].map((key) => cache.known(key)?.value)).toEqual(['one', undefined, 'three']);
});

it('lets go of what was not used for its lifetime', async () => {
  vi.useFakeTimers();
  const cache = new FileCache<string>({ kept: 1, lifetime: 1000 });
  await cache.get('key', reader('a'));
  vi.advanceTimersByTime(999);
  await cache.get('key', reader('a'));
  vi.advanceTimersByTime(999);
  expect(cache.known('key')?.value).toBe('a');
  vi.advanceTimersByTime(1);
  expect(cache.known('key')).toBeNull();
});
