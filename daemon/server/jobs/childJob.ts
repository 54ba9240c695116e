/**
 * Work that loads an engine or TensorFlow.js (probing engines, exporting) is done by a short-lived child: native libraries may crash, and the daemon
 * stays small and responsive.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineProbe } from '../../engine/engine.js';
import type { Exported } from '../../export/exportModel.js';
import { UserError, type ErrorCode } from '../../protocol/errors.js';
import type { DataPreview, FoundData, PlannedTime } from '../../protocol/dataChoice.js';
import type { Result } from '../../protocol/messages.js';
import type { GoalWanted, Outlook } from '../../protocol/outlook.js';
import type { OutlookOf } from '../../runs/outlook.js';
import type { ARCHITECTURES, DataSource, PathSettings } from '../../protocol/plan.js';
import type { Sensitivity } from '../../protocol/layers/sensitivity.js';
import type { TriedAnswer, TriedSample, WhatChanged } from '../../protocol/whatChanged.js';
import { jobProcess } from './jobProcess.js';

type Architecture = (typeof ARCHITECTURES)[number];

export interface Probes {
  readonly probes: EngineProbe[];
  /** Id of the engine that "auto" tries first, or null when none works. */
  readonly chosen: string | null;
}

interface RunModel {
  readonly folder: string;
  readonly point: number | undefined;
}

/** The jobs of a child, and their results. Paths are absolute and checked. */
export interface Jobs {
  /** `folders`: where optional packages of engines are looked for, best first. */
  probe: { params: { readonly folders: readonly string[] }; result: Probes };
  /** For a run's result, or a point of its path. */
  sizes: { params: RunModel; result: Result<'lc/exportFormats'> };
  latency: { params: RunModel & { readonly workspace: string }; result: Result<'lc/latency'> };
  /** What pruning changed, if it is not stored in the run folder; reports its progress. */
  changed: { params: RunModel & { readonly workspace: string }; result: WhatChanged };
  trySample: {
    params: RunModel & { readonly workspace: string; readonly sample: TriedSample };
    result: TriedAnswer;
  };
  export: {
    params: RunModel & { readonly format: string; readonly target: string };
    result: Exported;
  };
  /** Data for a model: a path in the workspace, or an architecture. */
  searchData: {
    params: {
      readonly model: string | { readonly architecture: Architecture };
      readonly workspace: string;
      readonly planFolder?: string | undefined;
    };
    result: FoundData;
  };
  previewData: {
    params: {
      readonly model: string;
      readonly data: DataSource;
      readonly workspace: string;
      readonly planFolder?: string | undefined;
    };
    result: DataPreview;
  };
  /** The time of a run of a plan file here. */
  planTime: {
    params: {
      readonly planPath: string;
      readonly workspace: string;
      readonly engine?: string | undefined;
      /** As a path of budgets, with these settings over the plan's own. */
      readonly path?: PathSettings | undefined;
    };
    result: PlannedTime;
  };
  /** `of`: a plan file, or the plan that would be written beside a model. */
  outlook: {
    params: { readonly goals: readonly GoalWanted[]; readonly of: OutlookOf; readonly workspace: string };
    result: Outlook;
  };
  /** For a plan file; reports its progress. */
  sensitivity: {
    params: { readonly planPath: string; readonly workspace: string };
    result: Sensitivity;
  };
  /** Rewrites the report of a finished run, with `others` (folders of finished runs) beside it. */
  report: {
    params: { readonly folder: string; readonly workspace: string; readonly others: readonly string[] };
    result: null;
  };
}
export type JobName = keyof Jobs;
type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: UserError['details'] } };

/** Of a job that has a length. */
export type Progress = (done: number, total: number) => void;

/** A line of a child's output that reports progress, and nothing else. */
const PROGRESS = /^\{"progress":\[(\d+),(\d+)\]\}$/gm;

/**
 * @param signal ends the child.
 * @throws UserError that the job ended with, or UserError('engine-failed') when the child broke; the signal's reason.
 */
export function runInChild<J extends JobName>(
  job: J,
  params: Jobs[J]['params'],
  signal?: AbortSignal,
  onProgress?: Progress,
): Promise<Jobs[J]['result']> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const { child, ended } = jobProcess(job);
    const end = () => child.kill();
    signal?.addEventListener('abort', end, { once: true });
    void ended.then(({ failure, stdout, stderr }) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) return reject(signal.reason as Error);
      // Native libraries print what they like; the answer is the last line.
      const line = stdout.trimEnd().split('\n').at(-1) ?? '';
      let answer: Answer;
      try {
        answer = JSON.parse(line) as Answer;
      } catch {
        const cause = stderr.trim().split('\n').at(-1) || failure?.message || 'no answer';
        return reject(new UserError('engine-failed', `a helper process (${job}) broke: ${cause}; "Show Log" has more`));
      }
      if ('error' in answer) reject(new UserError(answer.error.code, answer.error.message, answer.error.details));
      else resolve(answer.result as Jobs[J]['result']);
    });
    if (onProgress)
      child.stdout?.on('data', (lines: string) => {
        const last = [...lines.matchAll(PROGRESS)].at(-1);
        if (last) onProgress(Number(last[1]), Number(last[2]));
      });
    // Not an argument: those are short on some systems, and a sample may be an image.
    // It stays open: its end is the daemon's (see `serveJob`).
    child.stdin?.write(`${JSON.stringify(params)}\n`);
  });
}

/** The child's side of `Progress`, at most every 100 ms. */
function tellProgress(): Progress {
  let last = 0;
  return (done, total) => {
    if (done < total && performance.now() - last < 100) return;
    last = performance.now();
    process.stdout.write(`{"progress":[${done},${total}]}\n`);
  };
}

const work: { readonly [J in JobName]: (params: Jobs[J]['params']) => Promise<Jobs[J]['result']> } = {
  async probe({ folders }) {
    const { probeEngines } = await import('../../engine/registry.js');
    // In the order of "auto".
    const probes = await probeEngines(folders.length > 0 ? { folders } : {});
    return { probes, chosen: probes.find((probe) => probe.available)?.id ?? null };
  },
  async sizes({ folder, point }) {
    const { measureModel } = await import('../../export/exportModel.js');
    const { formatsByUse } = await import('../../export/byUse.js');
    const { readRunModel } = await import('../../runs/runModels.js');
    return formatsByUse(await measureModel(await readRunModel(folder, point)));
  },
  async latency({ folder, point, workspace }) {
    const { measureLatency } = await import('../../export/latency.js');
    const { thin } = await import('../../export/thin.js');
    const { readReference, readRunModel } = await import('../../runs/runModels.js');
    const model = await readRunModel(folder, point);
    const { machine, rows, left } = await measureLatency(model, await readReference(folder, workspace));
    const { before, after } = thin(model).flops;
    return { machine, rows: [...rows], left: [...left], flops: { pruned: before, thinned: after } };
  },
  async changed(params) {
    const { openChanged } = await import('../../runs/results/changed.js');
    return openChanged(params.folder, { ...params, onProgress: tellProgress() });
  },
  async trySample(params) {
    const { trySample } = await import('../../runs/results/trySample.js');
    return trySample(params.folder, params);
  },
  async export({ folder, point, format, target }) {
    const { exportModel, findFormat } = await import('../../export/exportModel.js');
    const { readRunModel, readRunScales } = await import('../../runs/runModels.js');
    const inputs = { scales: await readRunScales(folder, point), inside: false };
    return exportModel(await readRunModel(folder, point), findFormat(format), target, inputs);
  },
  async searchData({ model, workspace, planFolder }) {
    const { searchData } = await import('../../plan/dataSearch/searchData.js');
    const { readModel } = await import('../../model/files/readModel.js');
    const { buildArchitecture } = await import('../../model/setup/architectures.js');
    const read =
      typeof model === 'string'
        ? await readModel(model, { workspace })
        : { ...buildArchitecture(model.architecture, 0), path: join(planFolder ?? workspace, 'model.json') };
    return searchData(read, { workspace, ...(planFolder !== undefined && { planFolder }) });
  },
  async previewData({ model, data, workspace, planFolder }) {
    const { previewData } = await import('../../runs/previewData.js');
    return previewData(model, data, { workspace, planFolder });
  },
  async planTime({ planPath, workspace, engine, path }) {
    const { planTime } = await import('../../runs/planTime.js');
    return planTime(planPath, { workspace, ...(engine !== undefined && { engine }), ...(path && { asPath: path }) });
  },
  async outlook({ goals, of, workspace }) {
    const { outlook } = await import('../../runs/outlook.js');
    return outlook(goals, of, workspace);
  },
  async sensitivity({ planPath, workspace }) {
    const { planSensitivity } = await import('../../runs/analysis/sensitivity.js');
    return planSensitivity(planPath, { workspace, onProgress: tellProgress() });
  },
  async report({ folder, workspace, others }) {
    const { writeReport } = await import('../../runs/runModels.js');
    await writeReport(folder, { workspace, others });
    return null;
  },
};

/** Code that a job needs, loaded before its parameters are known; those jobs that a person waits for. */
const load: { readonly [J in JobName]?: () => Promise<unknown> } = {
  previewData: () =>
    Promise.all([
      import('../../runs/previewData.js'),
      import('../../engine/registry.js').then(({ loadEngines }) => loadEngines()),
      import('../../model/files/hdf5.js').then(({ loadHdf5 }) => loadHdf5()),
    ]),
};

/**
 * The child's side: does the job and prints the answer. Errors that are no UserError end the process.
 * @param isWarm the parameters come later: the job's code is loaded meanwhile.
 */
export async function serveJob(job: string, isWarm = false): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const params = new Promise<string>((resolve) => lines.once('line', resolve));
  // The reader of the answer is gone.
  lines.once('close', () => process.exit(1));
  process.stdin.once('error', () => process.exit(1));
  // What does not load is reported by the job itself.
  if (isWarm) load[job as JobName]?.().catch(() => undefined);
  let answer: Answer;
  try {
    answer = { result: await work[job as JobName](JSON.parse(await params) as never) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    answer = { error: { code: error.code, message: error.message, details: error.details } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
