import { readFile } from 'node:fs/promises';

/** Resident memory of a process of this machine that is not a child, bytes; null if the system does not report it. */
export async function residentMemory(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmRSS:\s*(\d+) kB$/m.exec(status);
  return found ? Number(found[1]) * 1024 : null;
}
