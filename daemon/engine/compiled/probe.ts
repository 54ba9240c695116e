import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeOnnx } from '../../onnx/emit/protobuf.js';
import type { ExecutionProvider } from './onnxGraph.js';

/** A graph of typical operations: a convolution, a rectifier, a transposed convolution, a product of matrices. */
const trialModel = () =>
  encodeOnnx(
    {
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attrs: { pads: [1, 1, 1, 1] } },
        { op: 'Relu', inputs: ['c'], outputs: ['r'], attrs: {} },
        { op: 'ConvTranspose', inputs: ['r', 'w'], outputs: ['d'], attrs: { pads: [1, 1, 1, 1] } },
        { op: 'MatMul', inputs: ['d', 'x'], outputs: ['y'], attrs: {} },
      ],
      inputs: [
        { name: 'x', type: 'float32', dims: [2, 5, 8, 8] },
        { name: 'w', type: 'float32', dims: [8, 5, 3, 3] },
      ],
      outputs: [{ name: 'y', type: 'float32', dims: [2, 5, 8, 8] }],
      initializers: new Map(),
    },
    { '': 18 },
  );

/** Tolerance between the CPU and the provider; TF32 and other orders of summation stay far below 2%. */
const script = `
const [runtime, provider, model] = process.argv.slice(1);
const ort = require(runtime);
const tensor = (dims) => {
  const size = dims.reduce((a, b) => a * b);
  return new ort.Tensor('float32', Float32Array.from({ length: size }, (_, i) => Math.sin(7 * i)), dims);
};
const compute = async (name) => {
  const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), { executionProviders: [name], logSeverityLevel: 4 });
  return (await session.run({ x: tensor([2, 5, 8, 8]), w: tensor([8, 5, 3, 3]) })).y.data;
};
(async () => {
  const expected = await compute('cpu');
  const found = await compute(provider);
  const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  const gap = norm(expected.map((v, i) => v - found[i])) / norm(expected);
  console.log(gap < 0.02 ? 'works' : 'computes wrong numbers: ' + (100 * gap).toPrecision(2) + '% off those of the CPU');
})().catch((error) => console.log(error.message)).finally(() => process.exit());
`;

const timeoutMs = 20_000;

/** The part of a native error message that helps a user. */
const reasonOf = (message: string): string =>
  (/Failed to get a WebGPU adapter: [^.\n]*/.exec(message)?.[0] ?? message.split('\n')[0]!).slice(0, 160);

/** Paths that show a GPU on Linux: the kernel's graphics devices, NVIDIA's driver, Windows under WSL. */
const linuxDevices = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/** Variables with which a user names a Vulkan driver, as a software one requires. */
const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

/** Whether there can be a GPU at all; only Linux shows it without loading a driver. */
const mayHaveGpu = (): boolean =>
  process.platform !== 'linux' ||
  driverVariables.some((name) => process.env[name]) ||
  linuxDevices.some((path) => existsSync(path));

/**
 * Whether a provider computes on this machine, tried in a process of its own, because drivers may crash and print anything.
 * @returns null if it works, else the reason.
 */
export function tryProvider(provider: ExecutionProvider): Promise<string | null> {
  if (!mayHaveGpu()) return Promise.resolve('this machine shows no GPU device');
  const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
  const args = ['-e', script, runtime, provider, Buffer.from(trialModel()).toString('base64')];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: timeoutMs }, (error, stdout) => {
      const said = stdout.trim();
      if (said === 'works') resolve(null);
      else if (said) resolve(reasonOf(said));
      else resolve(error?.killed ? `no answer within ${timeoutMs / 1000} s` : 'the driver crashed');
    });
  });
}
