import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * One thread per core this process may use: a second one on the same core slows down products of matrices. A rule, not a measurement, so that a
 * resumed run computes the same bits. Only Linux reports which threads share a core.
 */
export function defaultThreads(): number {
  const logical = availableParallelism();
  if (process.platform !== 'linux') return logical;
  const cores = new Set<string>();
  try {
    for (let i = 0; i < logical; i++)
      cores.add(readFileSync(`/sys/devices/system/cpu/cpu${i}/topology/thread_siblings_list`, 'utf8').trim());
  } catch {
    return logical;
  }
  return cores.size;
}
