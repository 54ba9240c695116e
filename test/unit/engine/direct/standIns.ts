/** Packages of tfjs-node's interface in a temporary folder, computing on TensorFlow.js's plain JavaScript backend. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { resolve } = createRequire(import.meta.url);

const preamble = `
const util = require('node:util');
const core = require(${JSON.stringify(resolve('@tensorflow/tfjs-core'))});
const layers = require(${JSON.stringify(resolve('@tensorflow/tfjs-layers'))});
const { MathBackendCPU } = require(${JSON.stringify(resolve('@tensorflow/tfjs-backend-cpu'))});
// tfjs-node calls these two whenever it runs a kernel.
if (util.isNullOrUndefined(0) || !util.isArray([])) throw new Error('unexpected');
// A test before this one may have left its own in the one instance of TensorFlow.js.
if (core.findBackendFactory('tensorflow')) core.removeBackend('tensorflow');
for (const { kernelName } of core.getKernelsForBackend('tensorflow')) core.unregisterKernel(kernelName, 'tensorflow');
core.copyRegisteredKernels('cpu', 'tensorflow');
`;

const epilogue = (usesGpu: boolean) => `
core.registerBackend('tensorflow', () => Object.assign(new MathBackendCPU(), { isUsingGpuDevice: ${usesGpu}, isGPUPackage: true }), 3);
core.setBackend('tensorflow');
module.exports = { ...core, ...layers };
`;

const wrongKernel = (kernelName: string, spoil: string) => `${preamble}
const { kernelFunc } = core.getKernel('${kernelName}', 'cpu');
core.unregisterKernel('${kernelName}', 'tensorflow');
core.registerKernel({
  kernelName: '${kernelName}',
  backendName: 'tensorflow',
  kernelFunc(call) {
    const result = kernelFunc(call);
    const { values } = call.backend.data.get(result.dataId);
    const inputs = Object.fromEntries(
      Object.entries(call.inputs).map(([name, { dataId }]) => [name, { dataSync: () => call.backend.readSync(dataId) }]),
    );
    ${spoil};
    return result;
  },
});
${epilogue(true)}`;

export const standIns = {
  works: preamble + epilogue(true),
  withoutGpu: preamble + epilogue(false),
  /** The error that tfjs-node 4.22 throws if its install script could not download the binary. */
  withoutBinary: `throw new Error('The Node.js native addon module (tfjs_binding.node) can not be found at path: /x/tfjs_binding.node. \\nPlease run command ...')`,
  withoutDependency: `require('@mapbox/node-pre-gyp')`,
  withoutCuda: `throw Object.assign(new Error('libcudart.so.11.0: cannot open shared object file: No such file or directory'), { code: 'ERR_DLOPEN_FAILED' })`,
  wrongConvolutionGradient: wrongKernel('Conv2DBackpropFilter', 'values.forEach((x, i) => (values[i] = 1.3 * x))'),
  /** Behaves as tfjs-backend-wasm 4.22. */
  wrongPoolingGradient: wrongKernel(
    'MaxPoolGrad',
    'inputs.input.dataSync().forEach((x, i) => { if (x <= 0) values[i] = 0; })',
  ),
};

/** A folder with one stand-in installed. */
export function install(packageName: string, code: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'lc-peer-'));
  const home = join(folder, 'node_modules', packageName);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: packageName, version: '4.22.0', main: 'index.js' }));
  writeFileSync(join(home, 'index.js'), code);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
