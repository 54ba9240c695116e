import { expect, it } from 'vitest';
import { renamePatiently } from '../../../daemon/files/renamePatiently.js';

/** A system on which the first `failures` renames fail with this code. */
function system(platform: NodeJS.Platform, failures: number, code: string) {
  const tried: string[] = [];
  const rename = (from: unknown, to: unknown) => {
    tried.push(`${String(from)} ${String(to)}`);
    return tried.length > failures ? Promise.resolve() : Promise.reject(Object.assign(new Error(code), { code }));
  };
  return { tried, system: { platform, rename: rename as typeof import('node:fs/promises').rename } };
}

it.each(['EPERM', 'EACCES', 'EBUSY'])('waits on Windows for a program that holds the file (%s)', async (code) => {
  const held = system('win32', 3, code);
  await renamePatiently('a', 'b', held.system);
  expect(held.tried).toEqual(Array(4).fill('a b'));
});

it('gives up after six tries, with the error of the system', async () => {
  const held = system('win32', 99, 'EBUSY');
  await expect(renamePatiently('a', 'b', held.system)).rejects.toThrow('EBUSY');
  expect(held.tried).toHaveLength(6);
});

it('does not wait for what waiting cannot mend', async () => {
  const missing = system('win32', 99, 'ENOENT');
  await expect(renamePatiently('a', 'b', missing.system)).rejects.toThrow('ENOENT');
  const denied = system('linux', 99, 'EACCES');
  await expect(renamePatiently('a', 'b', denied.system)).rejects.toThrow('EACCES');
  expect([missing.tried.length, denied.tried.length]).toEqual([1, 1]);
});
