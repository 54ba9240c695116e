/**
 * Whatever an ONNX file holds, reading it ends soon in a graph that can be computed in its order, or in a UserError of one line.
 * Seeded; `npm run test:onnx` reads 200,000 mutants.
 */
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allTensors } from '../../daemon/onnx/file/externalFiles.js';
import { readOnnxFile } from '../../daemon/onnx/file/onnxFile.js';
import type { OnnxGraph, OnnxModel } from '../../daemon/onnx/file/onnxModel.js';
import { readOnnx } from '../../daemon/onnx/file/readOnnx.js';
import { replaceInitializers } from '../../daemon/onnx/file/replaceTensors.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { fixture } from '../unit/onnx/file/protos.js';
import { mutantOf } from './onnxMutations.js';

const COUNT = Number(process.env.LC_PRUNE_ONNX_MUTANTS ?? 2000);
const SEED = Number(process.env.LC_PRUNE_ONNX_SEED ?? 13);
/** Bytes above those of the file itself; the largest of the mutants' files has about a megabyte. */
const MEMORY = 64 * 2 ** 20;

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-fuzz-')));
  await writeFile(join(folder, 'external.onnx.data'), fixture('external.onnx.data'));
  await symlink(dirname(folder), join(folder, 'linked'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

/** What a graph that was read keeps to, said once more. @throws Error where it does not. */
function judge({ nodes, initializers, inputs, outputs }: OnnxGraph, around: ReadonlySet<string> = new Set()): void {
  const own = new Set<string>();
  const add = (name: string): void => {
    if (own.has(name)) throw new Error(`"${name}" is there twice`);
    own.add(name);
  };
  for (const { name } of inputs) add(name);
  for (const name of initializers.keys()) add(name);
  for (const { inputs: read, outputs: given, attributes } of nodes) {
    for (const name of read) if (name !== '' && !own.has(name) && !around.has(name)) throw new Error(`"${name}" is not there yet`); // prettier-ignore
    for (const attribute of attributes.values())
      if (attribute.kind === 'graph') judge(attribute.value, new Set([...own, ...around]));
    for (const name of given) if (name !== '') add(name);
  }
  for (const { name } of outputs)
    if (!own.has(name) && !around.has(name)) throw new Error(`"${name}" comes from nowhere`);
}

/** Reads the values of every tensor; they fit its shape. */
function readValues({ graph }: OnnxModel): void {
  for (const { dims, values } of allTensors(graph)) {
    try {
      expect(values()).toHaveLength(dims.reduce((product, dim) => product * dim, 1));
    } catch (error) {
      refusedWell(error);
    }
  }
}

function refusedWell(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  expect(error.message).not.toMatch(/\n/);
  expect(error.message.length).toBeLessThan(1000);
}

it(`${COUNT} mutants of seed ${SEED}`, { timeout: 3_600_000 }, async () => {
  let [read, refused, slowest, files] = [0, 0, 0, 0];
  const reasons = new Set<string>();
  for (let index = 0; index < COUNT; index++) {
    const bytes = mutantOf(SEED, index);
    const [start, before] = [performance.now(), process.memoryUsage().arrayBuffers];
    try {
      const model = readOnnx(bytes, { path: 'net.onnx' });
      judge(model.graph);
      readValues(model);
      // Of a file that is read every byte is written back.
      if (index % 8 === 0) {
        const same = [...model.graph.initializers.values()].filter(({ external, type }) => !external && /^(float|double)$/.test(type)); // prettier-ignore
        const changes = new Map(same.map(({ name, dims, values }) => [name, { dims, values: values() }]));
        expect(readOnnx(replaceInitializers(bytes, changes), { path: 'net.onnx' }).graph.nodes).toHaveLength(model.graph.nodes.length); // prettier-ignore
      }
      read++;
    } catch (error) {
      refusedWell(error);
      reasons.add((error as Error).message.replace(/"[^"]*"|-?\d[\d.e+]*/g, '#'));
      refused++;
    }
    slowest = Math.max(slowest, performance.now() - start);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MEMORY);
    if (index % 16 === 0 || Buffer.from(bytes).includes('external.onnx.data')) {
      files++;
      await writeFile(join(folder, 'net.onnx'), bytes);
      const outside = (path: string): void => expect(dirname(path)).toBe(folder);
      await readOnnxFile(join(folder, 'net.onnx'), outside).then(readValuesOf, refusedWell);
    }
  }
  console.log(`read ${read}, refused ${refused} for ${reasons.size} reasons, ${files} from disk, the slowest ${slowest.toFixed(0)} ms, heap ${(process.memoryUsage().heapUsed / 2 ** 20).toFixed(0)} MB`); // prettier-ignore
  expect(slowest).toBeLessThan(5000);
  // Neither everything nor nothing is refused, and for what is wrong.
  expect(read).toBeGreaterThan(COUNT / 100);
  expect(reasons.size).toBeGreaterThan(20);
});

const readValuesOf = ({ model }: { model: OnnxModel }): void => {
  judge(model.graph);
  readValues(model);
};
