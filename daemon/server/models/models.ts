/** The models of the daemon's clients: small files are read in place, large ones in a thread, so that no request waits for them. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { bundlePath } from '../../files/bundlePath.js';
import { FileCache } from '../../files/fileCache.js';
import type { FileStamps } from '../../files/fileStamps.js';
import { resolveInside } from '../../files/workspacePath.js';
import { ModelThread } from '../../language/modelThread.js';
import type { LayerSummary } from '../../model/model.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { LIMITS } from '../limits.js';
import type { LoadedModels, PlanToRead, Question, Questions } from './loadedModel.js';

/** Layers of so many models are kept: a plan is analysed with every pause in typing. */
const KEPT = 8;

/** Files that hold the weights of a model beside them. */
const WEIGHTS = /\.(bin|data|h5|weights)$|_data$/i;

/** What a thread answers: with the files that were read for it. */
export interface Answered<Q extends Question> {
  readonly answer: Questions[Q]['answer'];
  readonly files: FileStamps;
}

/** Whether reading a model, and computing with it, would keep other requests waiting. */
async function isLarge(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) return false;
  // A graph of ONNX takes more time for its nodes than for its weights.
  const isGraph = extname(path).toLowerCase() === '.onnx';
  if (info.size > (isGraph ? LIMITS.graphInPlace : LIMITS.modelInPlace)) return true;
  if (!isGraph && extname(path).toLowerCase() !== '.json') return false;
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter((name) => WEIGHTS.test(name));
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).then(({ size }) => size, () => 0))); // prettier-ignore
  return sizes.reduce((sum, size) => sum + size, info.size) > LIMITS.modelInPlace;
}

export class Models {
  #here: Promise<LoadedModels> | undefined;
  #thread: ModelThread | undefined;
  readonly #layers = new FileCache<readonly LayerSummary[]>({ kept: KEPT });

  /** @throws UserError model-missing, model-invalid, model-unsupported. */
  async ask<Q extends Question>(
    question: Q,
    path: string,
    workspace: string,
    params: Questions[Q]['params'],
  ): Promise<Questions[Q]['answer']> {
    return (await this.#ask(question, path, workspace, params)).answer;
  }

  /** The layers of a model, read once per version of its files. @throws as `ask`. */
  layersOf(path: string, workspace: string): Promise<readonly LayerSummary[]> {
    return this.#layers.get(`${workspace}\0${path}`, async (stamps) => {
      const { answer, files } = await this.#ask('layers', path, workspace, null);
      for (const [file, stamp] of files) stamps.set(file, stamp);
      return answer;
    });
  }

  /** @throws as `readPlan` in daemon/plan. */
  async readPlan(plan: PlanToRead): Promise<ResolvedPlan> {
    const thread = await this.#threadFor(await modelNamedIn(plan));
    if (thread) return thread.ask('plan', plan);
    const { planOf } = await import('./loadedModel.js');
    return planOf(plan, await this.#inPlace());
  }

  async #ask<Q extends Question>(
    question: Q,
    path: string,
    workspace: string,
    params: Questions[Q]['params'],
  ): Promise<Answered<Q>> {
    const thread = await this.#threadFor(path);
    if (thread) return thread.ask('ask', { question, path, workspace, params });
    const { answerOf } = await import('./loadedModel.js');
    const model = await (await this.#inPlace()).load(path, workspace);
    return { answer: answerOf(question, model, params), files: model.files };
  }

  #inPlace(): Promise<LoadedModels> {
    return (this.#here ??= import('./loadedModel.js').then(({ LoadedModels }) => new LoadedModels()));
  }

  async #threadFor(path: string | null): Promise<ModelThread | null> {
    if (path === null || !(await isLarge(path))) return null;
    const script = bundlePath('modelWorker');
    if (script === undefined) return null;
    return (this.#thread ??= new ModelThread(script, LIMITS.modelLifetime));
  }
}

/** The model file that a plan names; null if reading the plan will report why there is none. */
async function modelNamedIn({ path, workspace }: PlanToRead): Promise<string | null> {
  try {
    const { parsePlan } = await import('../../plan/parsePlan.js');
    const { plan } = parsePlan(await readFile(path, 'utf8'));
    return plan && typeof plan.model === 'string' ? await resolveInside(workspace, dirname(path), plan.model) : null;
  } catch {
    return null;
  }
}
