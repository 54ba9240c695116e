import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * One thread per core this process may use: a second one on the same core slows down products of matrices. A rule, not a measurement, so that a
 * resumed run computes the same bits. Only Linux reports which threads share a core.
 * LC_PRUNE_THREADS sets fewer: a trainer that runs beside others gets its share.
 */
export function defaultThreads(): number {
  const cores = ownCores();
  const share = Number(process.env['LC_PRUNE_THREADS']);
  return Number.isInteger(share) && share > 0 ? Math.min(share, cores) : cores;
}

function ownCores(): number {
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
