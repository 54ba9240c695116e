/** Which engines are here, which is taken and why. Importing this file loads no engine. */
import { UserError } from '../protocol/errors.js';
import type { Model } from '../model/model.js';
import type { EngineProbe, EngineProvider, EngineSession, SessionSpec } from './engine.js';
import { disagreement, rematch, tryEngine, type TrialResult } from './trial.js';

export interface RegistryOptions {
  /** Where optional TensorFlow.js packages are looked for, best first: the workspace, a setting, the extension's storage. */
  readonly folders?: readonly string[];
}

/** An engine that was looked at while choosing: taken, or passed over and why. */
export interface Considered extends EngineProbe {
  readonly chosen: boolean;
  /** Training steps on made-up data of the user's own model; absent where it was not timed. */
  readonly samplesPerSecond?: number;
}

export interface ChooseOptions extends RegistryOptions {
  /** Told of every engine considered, in order. */
  report?(considered: Considered): void;
}

/** The order of `auto`: GPUs, then the compiled graph on the CPU, then TensorFlow.js on the CPU. */
const autoOrder = [
  'tfjs-node-gpu',
  'onnx-cuda',
  'onnx-dml',
  'onnx-webgpu',
  'native-cpu',
  'onnx-cpu',
  'tfjs-webgpu',
  'tfjs-node',
  'tfjs-cpu',
];

/** The compiled graph on the CPU: what faster engines must agree with, and beat. */
const referenceId = 'onnx-cpu';

/** Providers by their folders: what a probe has found out is asked once a process. */
const known = new Map<string, Promise<readonly EngineProvider[]>>();

function loadProviders({ folders = [process.cwd()] }: RegistryOptions): Promise<readonly EngineProvider[]> {
  const key = folders.join('\0');
  let providers = known.get(key);
  if (!providers) known.set(key, (providers = createProviders(folders)));
  return providers;
}

/**
 * Begins what takes long and needs nothing of the model: loading the providers' code, and the trials of GPUs, which are
 * processes of their own. Whoever opens an engine later waits for less; problems show then.
 */
export async function prepareEngines(id: string, options: RegistryOptions = {}): Promise<void> {
  const providers = await loadProviders(options);
  for (const provider of providers)
    if (gpuTrials.includes(provider.id) && (id === 'auto' || id === provider.id)) void provider.probe();
}

const gpuTrials = ['onnx-cuda', 'onnx-dml', 'onnx-webgpu'];

async function createProviders(folders: readonly string[]): Promise<readonly EngineProvider[]> {
  const [{ nativeProvider }, { compiledProvider }, { directProviders }] = await Promise.all([
    import('./native/provider.js'),
    import('./compiled/provider.js'),
    import('./direct/providers.js'),
  ]);
  const compiled = (['cuda', 'dml', 'webgpu', 'cpu'] as const).map(compiledProvider);
  const rank = ({ id }: EngineProvider) => autoOrder.indexOf(id);
  return [nativeProvider, ...compiled, ...directProviders(folders)].sort((a, b) => rank(a) - rank(b));
}

/** Every engine in the order of `auto`, whether it can run here, and why (not). Never throws. */
export async function probeEngines(options: RegistryOptions = {}): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = [];
  // One after the other: TensorFlow.js backends share one process-wide state.
  for (const provider of await loadProviders(options)) probes.push(await provider.probe());
  return probes;
}

/**
 * Opens the named engine, or with 'auto' the one that `chooseEngine` takes.
 *
 * @throws UserError('engine-unavailable') for an unknown or absent engine; what the engine itself throws; with 'auto' the
 *   reason of the last engine that was tried.
 */
export async function openEngine(
  id: string,
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions = {},
): Promise<EngineSession> {
  const providers = await loadProviders(options);
  if (id === 'auto') return (await chooseEngine(model, spec, options, providers)).session;
  const provider = providers.find((candidate) => candidate.id === id);
  if (!provider) {
    const known = ['auto', ...providers.map((p) => p.id)].join(', ');
    throw new UserError('engine-unavailable', `there is no engine "${id}"; engines: ${known}`);
  }
  const probe = await provider.probe();
  if (!probe.available) throw new UserError('engine-unavailable', `engine ${id}: ${probe.reason}`);
  const session = await provider.open(model, spec);
  options.report?.({ ...probe, ...session.info, reason: 'asked for by name', chosen: true });
  return session;
}

/**
 * Goes through the engines in order and takes the first that is here, opens the model, gives the numbers of the reference
 * check and is faster than the compiled graph on the CPU; if none is, that one; if that has no rule for a layer, the first
 * TensorFlow.js engine.
 *
 * @param providers for tests; by default all.
 * @throws the error of the last engine that was tried, when none opens.
 */
export async function chooseEngine(
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions = {},
  providers?: readonly EngineProvider[],
): Promise<{ session: EngineSession; considered: readonly Considered[] }> {
  const candidates = providers ?? (await loadProviders(options));
  const considered: Considered[] = [];
  const consider = (entry: Considered) => {
    considered.push(entry);
    options.report?.(entry);
  };
  const reference = await openReference(candidates, model, spec);
  let rateOfReference = reference.trial?.samplesPerSecond ?? 0;
  let failure: unknown = new UserError('engine-unavailable', 'no engine can run here');
  for (const provider of candidates) {
    const probe = await provider.probe();
    const passOver = (reason: string, more: Partial<Considered> = {}) =>
      consider({ ...probe, ...more, reason, chosen: false });
    if (!probe.available) {
      passOver(probe.reason);
      continue;
    }
    if (provider.id === referenceId) {
      if (!reference.session) {
        failure = reference.error;
        passOver((failure as Error).message);
        continue;
      }
      const reason = considered.length > 0 ? 'the fastest that works here' : probe.reason;
      consider({ ...probe, ...reference.session.info, reason, chosen: true, samplesPerSecond: rateOfReference });
      return { session: reference.session, considered };
    }
    let session: EngineSession | undefined;
    try {
      session = await provider.open(model, spec);
      const trial = await tryEngine(session, spec);
      const wrong = reference.trial && disagreement(trial, reference.trial, provider.id.startsWith('onnx-'));
      let { samplesPerSecond } = trial;
      if (!wrong && reference.session)
        [samplesPerSecond, rateOfReference] = await rematch([session, reference.session], spec, [
          samplesPerSecond,
          rateOfReference,
        ]);
      if (!wrong && samplesPerSecond > rateOfReference) {
        await reference.session?.dispose();
        consider({ ...probe, ...session.info, reason: probe.reason, chosen: true, samplesPerSecond });
        return { session, considered };
      }
      const rates = `${Math.round(samplesPerSecond)} samples/s, ${Math.round(rateOfReference)} on the CPU`;
      passOver(wrong ?? `slower than the compiled graph on the CPU: ${rates}`, { samplesPerSecond });
    } catch (error) {
      failure = error;
      passOver((error as Error).message);
    }
    await session?.dispose();
  }
  throw failure;
}

interface Reference {
  readonly session?: EngineSession;
  readonly trial?: TrialResult;
  readonly error?: unknown;
}

async function openReference(
  candidates: readonly EngineProvider[],
  model: Model,
  spec: SessionSpec,
): Promise<Reference> {
  const provider = candidates.find(({ id }) => id === referenceId);
  if (!provider) return {};
  try {
    const session = await provider.open(model, spec);
    return { session, trial: await tryEngine(session, spec) };
  } catch (error) {
    return { error };
  }
}

/**
 * The first engine after `id` in the order of `auto` that is here and that `open` accepts; null where there is none.
 *
 * @param open loads the model on the engine; rejects where it cannot.
 */
export async function nextEngine(
  id: string,
  open: (engine: string) => Promise<unknown>,
  options: RegistryOptions = {},
): Promise<string | null> {
  const later = autoOrder.slice(autoOrder.indexOf(id) + 1);
  for (const provider of await loadProviders(options)) {
    if (!later.includes(provider.id) || !(await provider.probe()).available) continue;
    const opens = await open(provider.id).then(
      () => true,
      () => false,
    );
    if (opens) return provider.id;
  }
  return null;
}
