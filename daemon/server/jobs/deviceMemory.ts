/** GPU memory of processes, if the driver reports it. */
import { execFile } from 'node:child_process';
import { LIMITS } from '../limits.js';

const MIB = 2 ** 20;

/** The lines of `nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits`, summed per process: bytes. */
export function parseComputeApps(text: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(line);
    if (match) found.set(Number(match[1]), (found.get(Number(match[1])) ?? 0) + Number(match[2]) * MIB);
  }
  return found;
}

/** Bytes of GPU memory by process id; empty without an NVIDIA driver, or if it does not answer. */
export function deviceMemory(): Promise<Map<number, number>> {
  const args = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  return new Promise((resolve) =>
    execFile('nvidia-smi', args, { timeout: LIMITS.driverTime, windowsHide: true }, (error, stdout) =>
      resolve(error ? new Map() : parseComputeApps(stdout)),
    ),
  );
}
