/** CodeLens of plans, sweeps, model files and Python programs. */
import type { CodeLens } from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { isSweepFile } from '../protocol/runs/sweepName.js';
import type { LanguageHost } from './host.js';
import type { ModelFile, ModelFiles } from './modelFiles.js';
import { modelLenses, problemLens, readingLens } from './modelLens.js';
import { isPlanUri, namedBy } from './planDocuments.js';
import { planLenses } from './planLens.js';
import { fileOf, type PythonDocuments } from './python/pythonDocuments.js';
import { pythonLenses } from './python/pythonLens.js';
import type { RunFacts } from './runFacts.js';
import { sweepLenses } from './sweepLens.js';
import { LIMITS } from './limits.js';

/** The services of the language server that the lenses use. */
interface LensSources {
  readonly host: LanguageHost;
  readonly models: ModelFiles;
  readonly facts: RunFacts;
  readonly python: PythonDocuments;
  /** The file of a URI if it lies in the workspace, or null. */
  contain(uri: string): Promise<{ folder: string; path: string } | null>;
  /** Whether the client redraws lenses on request. */
  canRedraw(): boolean;
  redraw(): void;
}

export class Lenses {
  constructor(private readonly server: LensSources) {}

  /** The lenses of a plan, a sweep, a model file or a Python program. */
  async of(uri: string): Promise<CodeLens[]> {
    const python = this.server.python.get(uri);
    if (python) return this.#pythonLenses(python);
    const place = await this.server.contain(uri);
    if (!place) return [];
    const { folder, path } = place;
    const named = namedBy(uri);
    if (isPlanUri(uri)) {
      const runs = await this.server.facts.ofPlan(folder, path);
      return planLenses(
        named,
        runs.map((run) => ({ ...run, folder: this.server.host.workspace.asNamed(run.folder) })),
      );
    }
    if (isSweepFile(uri)) return sweepLenses(named);
    const model = await this.#openSoon(path);
    if (model === 'reading') return readingLens(named);
    if (!model) return problemLens(named, await this.server.models.problemOf(path));
    const [zeros, kept] = await Promise.all([this.#zerosSoon(path, folder), this.server.facts.keptOf(folder, path)]);
    return modelLenses(model, named, zeros, kept);
  }

  /** None in Restricted Mode: they could start nothing. */
  async #pythonLenses(document: TextDocument): Promise<CodeLens[]> {
    const { workspace } = this.server.host;
    if (!workspace.trusted) return [];
    const place = await workspace.contain(fileOf(document.uri)).catch(() => null);
    return place ? pythonLenses(document, { ...place, asNamed: (path) => workspace.asNamed(path) }) : [];
  }

  /** The model, or 'reading' when that takes longer than an editor should wait: the lenses are redrawn later. */
  async #openSoon(path: string): Promise<ModelFile | null | 'reading'> {
    const opening = this.server.models.open(path);
    if (!this.server.canRedraw()) return opening;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'reading'>(
      (resolve) => (timer = setTimeout(() => resolve('reading'), LIMITS.lensTime)),
    );
    const first = await Promise.race([opening, patience]);
    clearTimeout(timer);
    if (first === 'reading') void opening.then(() => this.server.redraw());
    return first;
  }

  /** The zeros when they are known; else counts them and requests a redraw of the lenses. */
  async #zerosSoon(path: string, folder: string): Promise<number | null> {
    const known = this.server.models.knownZeros(path);
    if (known !== undefined) return known;
    void this.server.models.countZeros(path, folder).then((zeros) => {
      if (zeros !== null) this.server.redraw();
    });
    return null;
  }
}
