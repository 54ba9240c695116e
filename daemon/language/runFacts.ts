/** Results of runs for a model or a plan, for the lenses. */
import { resolve } from 'node:path';
import type { LayerKept } from '../protocol/events.js';
import type { RunSummary } from '../protocol/messages.js';
import type { LanguageHost } from './host.js';

/** Milliseconds for which a list of runs is used; the daemon reports its own changes at once. */
const FRESH = 2_000;

export class RunFacts {
  readonly #lists = new Map<string, { time: number; runs: Promise<RunSummary[]> }>();
  readonly #layers = new Map<string, Promise<readonly LayerKept[] | null>>();

  constructor(readonly host: Pick<LanguageHost, 'listRuns' | 'lastPerLayer' | 'log'>) {}

  /** Runs of a workspace folder, newest first. */
  async #runs(folder: string): Promise<RunSummary[]> {
    const known = this.#lists.get(folder);
    if (known && performance.now() - known.time < FRESH) return known.runs;
    const runs = this.host.listRuns(folder).catch((error: unknown) => {
      this.host.log('warn', `runs of ${folder}: ${String(error)}`);
      return [];
    });
    this.#lists.set(folder, { time: performance.now(), runs });
    return runs;
  }

  forget(folder: string): void {
    this.#lists.delete(folder);
  }

  async ofPlan(folder: string, plan: string): Promise<RunSummary[]> {
    const runs = await this.#runs(folder);
    return runs.filter((run) => run.planPath !== null && resolve(folder, run.planPath) === plan);
  }

  /** Kept weights per layer after the latest run that has some. */
  async keptOf(folder: string, model: string): Promise<readonly LayerKept[] | null> {
    const runs = await this.#runs(folder);
    const latest = runs.find(
      (run) => run.kept !== null && run.modelPath !== null && resolve(folder, run.modelPath) === model,
    );
    if (!latest) return null;
    const key = `${latest.folder} ${latest.iteration} ${latest.state}`;
    let layers = this.#layers.get(key);
    if (!layers) {
      layers = this.host.lastPerLayer(latest.folder).catch(() => null);
      this.#layers.clear();
      this.#layers.set(key, layers);
    }
    return layers;
  }
}
