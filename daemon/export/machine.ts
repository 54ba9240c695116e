import { cpus } from 'node:os';

/** The processor that latencies are measured on, in words. */
export const machineText = (): string => `${cpus()[0]?.model.trim() ?? process.arch}, 1 thread`;
