/** Which engines are here, which is taken and why. Importing this file loads no engine. */
import { UserError } from '../protocol/errors.js';
import type { Model } from '../model/model.js';
import type { EngineProbe, EngineProvider, EngineSession, SessionSpec } from './engine.js';

export interface RegistryOptions {
  /** Where optional TensorFlow.js packages are looked for, best first: the workspace, a setting, the extension's storage. */
  readonly folders?: readonly string[];
}

/** An engine that was looked at while choosing: taken, or passed over and why. */
export interface Considered extends EngineProbe {
  readonly chosen: boolean;
}

/** The order of `auto`: GPUs, then the compiled graph on the CPU, then TensorFlow.js on the CPU. */
const autoOrder = [
  'tfjs-node-gpu',
  'onnx-cuda',
  'onnx-dml',
  'onnx-webgpu',
  'onnx-cpu',
  'tfjs-webgpu',
  'tfjs-node',
  'tfjs-cpu',
];

async function providers({ folders = [process.cwd()] }: RegistryOptions): Promise<EngineProvider[]> {
  const [{ compiledProvider }, { directProviders }] = await Promise.all([
    import('./compiled/provider.js'),
    import('./direct/providers.js'),
  ]);
  const compiled = (['cuda', 'dml', 'webgpu', 'cpu'] as const).map(compiledProvider);
  const rank = ({ id }: EngineProvider) => autoOrder.indexOf(id);
  return [...compiled, ...directProviders(folders)].sort((a, b) => rank(a) - rank(b));
}

/** Every engine in the order of `auto`, whether it can run here, and why (not). Never throws. */
export async function probeEngines(options: RegistryOptions = {}): Promise<EngineProbe[]> {
  const probes: EngineProbe[] = [];
  // One after the other: several TensorFlow.js backends share one process-wide state.
  for (const provider of await providers(options)) probes.push(await provider.probe());
  return probes;
}

/**
 * Opens the named engine, or with 'auto' the first in order that is here and takes the model.
 *
 * @param report is told of every engine considered, in order.
 * @throws UserError('engine-unavailable') for an unknown or absent engine; what the engine itself throws; with 'auto' the
 *   last engine's error.
 */
export async function openEngine(
  id: string,
  model: Model,
  spec: SessionSpec,
  options: RegistryOptions & { report?(considered: Considered): void } = {},
): Promise<EngineSession> {
  const all = await providers(options);
  if (id === 'auto') return (await chooseEngine(model, spec, options, all)).session;
  const provider = all.find((candidate) => candidate.id === id);
  if (!provider)
    throw new UserError('engine-unavailable', `there is no engine "${id}"; engines: auto, ${all.map((p) => p.id).join(', ')}`); // prettier-ignore
  const probe = await provider.probe();
  if (!probe.available) throw new UserError('engine-unavailable', `engine ${id}: ${probe.reason}`);
  const session = await provider.open(model, spec);
  options.report?.({ ...probe, ...session.info, reason: 'asked for by name', chosen: true });
  return session;
}

/** The session of the first engine in order that opens, and every engine looked at on the way. */
export async function chooseEngine(
  model: Model,
  spec: SessionSpec,
  options: RegistryOptions & { report?(considered: Considered): void } = {},
  candidates?: readonly EngineProvider[],
): Promise<{ session: EngineSession; considered: readonly Considered[] }> {
  const considered: Considered[] = [];
  const consider = (entry: Considered) => {
    considered.push(entry);
    options.report?.(entry);
  };
  let failure: unknown = new UserError('engine-unavailable', 'no engine can run here');
  for (const provider of candidates ?? (await providers(options))) {
    const probe = await provider.probe();
    if (!probe.available) {
      consider({ ...probe, chosen: false });
      continue;
    }
    try {
      const session = await provider.open(model, spec);
      consider({ ...probe, ...session.info, reason: `first available: ${probe.reason}`, chosen: true });
      return { session, considered };
    } catch (error) {
      failure = error;
      consider({ ...probe, reason: (error as Error).message, chosen: false });
    }
  }
  throw failure;
}
