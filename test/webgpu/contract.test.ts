/** The contract of all engines on WebGPU: the compiled graph always, TensorFlow.js where its packages are installed. */
import { compiledProvider } from '../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../daemon/engine/direct/providers.js';
import { describeContract, opens } from '../integration/engine-conformance/contract.js';

describeContract(compiledProvider('webgpu'), true);
for (const provider of directProviders([process.cwd()]))
  if (provider.id === 'tfjs-webgpu') describeContract(provider, await opens(provider));
