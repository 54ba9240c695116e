/** All engines are held to one contract. Engines that are not available here are skipped by name. */
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { describeContract, opens } from './contract.js';
import { describeFileSettings } from './fileSettings.js';

const providers: EngineProvider[] = [
  nativeProvider,
  compiledProvider('cpu'),
  compiledProvider('webgpu'),
  ...directProviders([process.cwd()]),
];
/** Engines that need nothing but npm: their absence is a failure, not a reason to skip. */
const required = ['onnx-cpu', 'tfjs-cpu'];

// One after the other: TensorFlow.js backends share one process-wide state.
for (const provider of providers) {
  const here = required.includes(provider.id) || (await opens(provider));
  describeContract(provider, here);
  describeFileSettings(provider, here);
}
