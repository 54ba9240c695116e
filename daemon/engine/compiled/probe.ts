import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeOnnx } from '../graph/onnx/protobuf.js';
import type { ExecutionProvider } from './onnxGraph.js';

/** y = x x of a 4 x 4 matrix of ones: each element is 4. */
const trialModel = () =>
  encodeOnnx(
    {
      nodes: [{ op: 'MatMul', inputs: ['x', 'x'], outputs: ['y'], attrs: {} }],
      inputs: [{ name: 'x', type: 'float32', dims: [4, 4] }],
      outputs: [{ name: 'y', type: 'float32', dims: [4, 4] }],
      initializers: new Map(),
    },
    { '': 18 },
  );

const script = `
const [runtime, provider, model] = process.argv.slice(1);
const ort = require(runtime);
(async () => {
  const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), { executionProviders: [provider], logSeverityLevel: 4 });
  const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(16).fill(1), [4, 4]) });
  console.log(y.data[0] === 4 ? 'works' : 'computes wrong numbers');
})().catch((error) => console.log(error.message)).finally(() => process.exit());
`;

const timeoutMs = 20_000;

/** The part of a native error message that a user can use. */
const reasonOf = (message: string): string =>
  (/Failed to get a WebGPU adapter: [^.\n]*/.exec(message)?.[0] ?? message.split('\n')[0]!).slice(0, 160);

/** Where Linux shows a GPU: the kernel's graphics devices, NVIDIA's driver, Windows under WSL. */
const linuxDevices = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];

/** Whether there can be a GPU at all; only on Linux is that known without loading a driver. */
const mayHaveGpu = (): boolean => process.platform !== 'linux' || linuxDevices.some((path) => existsSync(path));

/**
 * Whether a provider computes on this machine, tried in a process of its own: drivers may crash, and print what they like.
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
