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

/** Checks the rules of a graph that was read, independently of the reader. @throws Error if it breaks one. */
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
      if (values().length !== dims.reduce((product, dim) => product * dim, 1)) expect.fail('values that do not fit');
    } catch (error) {
      refusedWell(error);
    }
  }
}

function refusedWell(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message) || error.message.length >= 1000)
    expect.fail(`no line: ${error.message}`);
}

/** Same values into the same file: it is written, and read again as it was. */
function writeBack(bytes: Uint8Array, { graph }: OnnxModel): void {
  const floats = [...graph.initializers.values()].filter(({ external, type }) => !external && /^(float|double)$/.test(type)); // prettier-ignore
  const changes = new Map(floats.map(({ name, dims, values }) => [name, { dims, values: values() }]));
  const again = readOnnx(replaceInitializers(bytes, changes), { path: 'net.onnx' }).graph;
  const texts = (nodes: OnnxGraph['nodes']) => JSON.stringify(nodes.map((node) => ({ ...node, attributes: [...node.attributes.keys()] }))); // prettier-ignore
  if (texts(again.nodes) !== texts(graph.nodes)) expect.fail('its nodes are not those written');
  for (const [name, { values }] of changes)
    if (!again.initializers.get(name)!.values().every((value, i) => Object.is(value, values[i]))) expect.fail(`${name} is not what was written`); // prettier-ignore
}

const readValuesOf = ({ model }: { model: OnnxModel }): void => {
  judge(model.graph);
  readValues(model);
};

/** @returns the model that was read, or the message if the file was refused. */
function attempt(bytes: Uint8Array): OnnxModel | string {
  let model: OnnxModel;
  try {
    model = readOnnx(bytes, { path: 'net.onnx' });
  } catch (error) {
    refusedWell(error);
    return (error as Error).message;
  }
  readValuesOf({ model });
  return model;
}

it(`${COUNT} mutants of seed ${SEED}`, { timeout: 3_600_000 }, async () => {
  let [read, slowest, files] = [0, 0, 0];
  const reasons = new Set<string>();
  const one = async (index: number): Promise<void> => {
    const bytes = mutantOf(SEED, index);
    const [start, before] = [performance.now(), process.memoryUsage().arrayBuffers];
    const model = attempt(bytes);
    slowest = Math.max(slowest, performance.now() - start);
    if (process.memoryUsage().arrayBuffers - before > MEMORY) expect.fail('it took too much memory');
    if (typeof model === 'string') reasons.add(model.replace(/"[^"]*"|-?\d[\d.e+]*/g, '#'));
    else {
      read++;
      if (read % 4 === 0) writeBack(bytes, model);
    }
    if (index % 64 === 0 || Buffer.from(bytes).includes('external.onnx.data')) {
      files++;
      await writeFile(join(folder, 'net.onnx'), bytes);
      const outside = (path: string): void => expect(dirname(path)).toBe(folder);
      await readOnnxFile(join(folder, 'net.onnx'), outside).then(readValuesOf, refusedWell);
    }
  };
  for (let index = 0; index < COUNT; index++)
    await one(index).catch((cause: unknown) => {
      throw new Error(`mutant ${index} of seed ${SEED}: ${String(cause)}`, { cause });
    });
  console.log(`read ${read} of ${COUNT}, refused the others for ${reasons.size} reasons, ${files} from disk; the slowest took ${slowest.toFixed(0)} ms, heap ${(process.memoryUsage().heapUsed / 2 ** 20).toFixed(0)} MB`); // prettier-ignore
  expect(slowest).toBeLessThan(5000);
  // Neither everything nor nothing is refused, and for what is wrong.
  expect(read).toBeGreaterThan(COUNT / 100);
  expect(reasons.size).toBeGreaterThan(20);
});
