/** The available engines, and opening them. Importing this file loads no engine. */
import { UserError } from '../protocol/errors.js';
import type { Model } from '../model/model.js';
import { checkNamed, chooseEngine, type ChooseOptions } from './choose.js';
import type { EngineProbe, EngineProvider, EngineSession, SessionSpec } from './engine.js';

export interface RegistryOptions {
  /** Folders where optional TensorFlow.js packages are looked for, best first: the workspace, a setting, the extension's storage. */
  readonly folders?: readonly string[];
  /** Engines in the order of `auto`; default: all. */
  readonly providers?: readonly EngineProvider[];
}

/** Providers by their folders: each is probed once a process. */
const known = new Map<string, Promise<readonly EngineProvider[]>>();

async function loadProviders({
  folders = [process.cwd()],
  providers: given,
}: RegistryOptions): Promise<readonly EngineProvider[]> {
  if (given) return given;
  const key = folders.join('\0');
  let providers = known.get(key);
  if (!providers) known.set(key, (providers = createProviders(folders)));
  return providers;
}

/**
 * Starts slow work that does not depend on the model: loading the providers' code, and the trials of GPUs in processes of their own. Opening an
 * engine later then takes less time, and reports the problems.
 */
export async function prepareEngines(id: string, options: RegistryOptions = {}): Promise<void> {
  for (const provider of await loadProviders(options))
    if (provider.probesAside && (id === 'auto' || id === provider.id)) void provider.probe();
}

/** Loads the code of all providers, and nothing that it drives. */
export const loadEngines = () =>
  Promise.all([
    import('./native/provider.js'),
    import('./compiled/provider.js'),
    import('./direct/providers.js'),
  ] as const);

/** The order of `auto`: GPUs, then the compiled graph on the CPU, then TensorFlow.js, which computes everything. */
async function createProviders(folders: readonly string[]): Promise<readonly EngineProvider[]> {
  const [{ nativeProvider }, { compiledProvider }, { directProviders }] = await loadEngines();
  const [nodeGpu, ...others] = directProviders(folders);
  const gpus = (['cuda', 'dml', 'webgpu'] as const).map(compiledProvider);
  return [nodeGpu, ...gpus, nativeProvider, compiledProvider('cpu'), ...others];
}

/** Every engine in the order of `auto`, whether it can run here, and why (not). Never throws. */
export async function probeEngines(options: RegistryOptions = {}): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = [];
  // One after the other: TensorFlow.js backends share one process-wide state.
  for (const provider of await loadProviders(options)) probes.push(await provider.probe());
  return probes;
}

/**
 * Opens the named engine, or with 'auto' the one that `chooseEngine` takes. A named engine is taken whatever it computes: if `options.firstBatch`
 * returns a batch it is compared with the reference, and a difference is reported as `doubt`.
 * @throws UserError('engine-unavailable') for an unknown or absent engine; the engine's own error; with 'auto' the error of the last engine that was
 * tried; the error of `options.firstBatch`.
 */
export async function openEngine(
  id: string,
  model: Model,
  spec: SessionSpec,
  options: ChooseOptions & RegistryOptions = {},
): Promise<EngineSession> {
  const providers = await loadProviders(options);
  if (id === 'auto') return (await chooseEngine(providers, model, spec, options)).session;
  const provider = providers.find((candidate) => candidate.id === id);
  if (!provider) {
    const known = ['auto', ...providers.map((p) => p.id)].join(', ');
    throw new UserError('engine-unavailable', `there is no engine "${id}"; engines: ${known}`);
  }
  const probe = await provider.probe();
  if (!probe.available) throw new UserError('engine-unavailable', `engine ${id}: ${probe.reason}`);
  const session = await provider.open(model, spec);
  try {
    const doubt = await checkNamed(provider, session, providers, model, spec, options);
    const reason = 'asked for by name';
    options.report?.({ ...probe, ...session.info, reason, chosen: true, ...(doubt && { doubt }) });
    return session;
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/**
 * The first engine after `id` in the order of `auto` that is available and that `open` accepts; null if there is none.
 * @param open loads the model on the engine; rejects if it cannot.
 */
export async function nextEngine(
  id: string,
  open: (engine: string) => Promise<unknown>,
  options: RegistryOptions = {},
): Promise<string | null> {
  const providers = await loadProviders(options);
  for (const provider of providers.slice(providers.findIndex((candidate) => candidate.id === id) + 1)) {
    if (!(await provider.probe()).available) continue;
    const opens = await open(provider.id).then(
      () => true,
      () => false,
    );
    if (opens) return provider.id;
  }
  return null;
}

/** Whether two engines draw the same dropout masks and noise from the same state; false if one of them is unknown. */
export async function drawAlike(a: string, b: string, options: RegistryOptions = {}): Promise<boolean> {
  const providers = await loadProviders(options);
  const noises = [a, b].map((id) => providers.find((provider) => provider.id === id)?.noise);
  return a === b || noises.every((noise) => noise === 'shared');
}
