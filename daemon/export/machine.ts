import { cpus } from 'node:os';

/** Name of the processor that latencies are measured on. */
export const machineText = (): string => `${cpus()[0]?.model.trim() ?? process.arch}, 1 thread`;
