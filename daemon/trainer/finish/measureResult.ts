/**
 * Measures a result when its run ends, so that nobody waits for it later: size and error of each file, speed compared with the reference, and what
 * changed. No failure here fails a run whose result is written.
 */
import { rm } from 'node:fs/promises';
import { formatsByUse } from '../../export/byUse.js';
import { measureModel, type JudgeFile, type Sizes } from '../../export/exportModel.js';
import { measureLatency, type Latencies } from '../../export/latency.js';
import { thin, type Thinned } from '../../export/thin.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { Model } from '../../model/model.js';
import type { MeasuredExports } from '../../protocol/exports.js';
import type { WhatChanged } from '../../protocol/whatChanged.js';
import { runPaths } from '../process/runFolder.js';

export interface Measured {
  readonly exports: MeasuredExports;
  readonly sizes: Sizes;
  readonly thinned: Thinned;
  readonly latency: Latencies | null;
}

const LATENCY = { rounds: 9, roundMs: 8 };

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error));

/**
 * @param error of the model on the part of the data that `judge` uses; null if nothing is evaluated.
 * @throws UserError if not even sizes can be measured.
 */
export async function measureResult(
  model: Model,
  reference: Model | null,
  { error = null, judge }: { readonly error?: number | null; readonly judge?: JudgeFile } = {},
): Promise<Measured> {
  const notes: string[] = [];
  // Measured before the sizes: timing needs the machine for itself.
  const latency = await measureLatency(model, reference, LATENCY).catch((failure: unknown) => {
    notes.push(`The latency was not measured: ${reasonOf(failure)}`);
    return null;
  });
  const sizes = await measureModel(model, judge);
  const thinned = thin(model);
  const { before: pruned, after } = thinned.flops;
  const figures = latency && {
    machine: latency.machine,
    rows: [...latency.rows],
    left: [...latency.left],
    flops: { pruned, thinned: after },
  };
  const exports: MeasuredExports = {
    version: 1,
    reference: sizes.reference,
    formats: formatsByUse(sizes, error),
    left: [...sizes.left],
    latency: figures,
    notes,
  };
  return { exports, sizes, thinned, latency };
}

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** Figures of an earlier result are removed before a new one is measured. */
export async function forgetMeasured(folder: string): Promise<void> {
  const { exports, changed } = runPaths(folder);
  for (const file of [exports, changed]) await rm(file, { force: true });
}

/** @throws UserError('disk'). */
export const keepExports = (folder: string, exports: MeasuredExports): Promise<void> =>
  writeFileAtomic(runPaths(folder).exports, json(exports));

/** @param point of a path run; undefined: the result. @throws UserError('disk'). */
export const keepChanged = (file: string, changed: WhatChanged): Promise<void> => writeFileAtomic(file, json(changed));
