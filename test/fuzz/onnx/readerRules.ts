/** What holds of every file that was read, whatever it holds: judged independently of the reader. */
import { allTensors } from '../../../daemon/onnx/file/externalFiles.js';
import type { OnnxGraph, OnnxModel } from '../../../daemon/onnx/file/onnxModel.js';
import { readOnnx } from '../../../daemon/onnx/file/readOnnx.js';
import { replaceInitializers } from '../../../daemon/onnx/file/replaceTensors.js';
import { UserError } from '../../../daemon/protocol/errors.js';

/** Bytes above those of the file itself; the largest mutants have about a megabyte. */
const MEMORY = 64 * 2 ** 20;
/** Longest message, in characters. */
const LONGEST = 1000;

/** A broken promise of the product. */
export class Broken extends Error {
  constructor(
    readonly kind: 'message' | 'reader' | 'memory' | 'table' | 'differ',
    message: string,
  ) {
    super(message);
  }
}

/** Words of JavaScript's own errors, and of values that were never set. */
const JAVASCRIPT = /undefined|\bNaN\b|\[object|is not (a function|iterable|defined|valid)|Cannot (read|set|convert|mix)|Invalid (typed array|array|string|count)|call stack|out of bounds|must have a callable|BigInt|out of memory|must be an instance/; // prettier-ignore

/** Whether an error is one that a person can act on. @throws Broken otherwise */
export function refusedWell(error: unknown, file: string): asserts error is UserError {
  if (!(error instanceof UserError)) throw new Broken('message', `${(error as Error).stack ?? String(error)}`.slice(0, 600)); // prettier-ignore
  const { message } = error;
  const faults = [
    /[\p{Cc}\p{Zl}\p{Zp}]/u.test(message) && 'more than a line',
    message.length >= LONGEST && 'too long',
    message.length < file.length + 12 && 'too short',
    !message.includes(file) && 'does not name the file',
    JAVASCRIPT.test(message.replace(/"([^"\\]|\\.)*"|holds NaN/g, '""')) && 'words of JavaScript',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw new Broken('message', `${faults.join(', ')}: ${message.slice(0, 400)}`);
}

/** The rules of a graph whose nodes can be computed in their order. @throws Broken if it breaks one */
function checkOrder(
  { nodes, initializers, inputs, outputs }: OnnxGraph,
  around: ReadonlySet<string> = new Set(),
): void {
  const own = new Set<string>();
  const add = (name: string): void => {
    if (own.has(name)) throw new Broken('reader', `"${name}" is there twice`);
    own.add(name);
  };
  for (const { name } of inputs) add(name);
  for (const name of initializers.keys()) add(name);
  for (const { inputs: read, outputs: given, attributes } of nodes) {
    for (const name of read) if (name !== '' && !own.has(name) && !around.has(name)) throw new Broken('reader', `"${name}" is not there yet`); // prettier-ignore
    for (const attribute of attributes.values())
      if (attribute.kind === 'graph') checkOrder(attribute.value, new Set([...own, ...around]));
    for (const name of given) if (name !== '') add(name);
  }
  for (const { name } of outputs)
    if (!own.has(name) && !around.has(name)) throw new Broken('reader', `"${name}" comes from nowhere`);
}

/** The values of every tensor fit its shape, or are refused. */
export function checkValues({ graph }: OnnxModel, file: string): void {
  for (const { dims, values } of allTensors(graph)) {
    try {
      if (values().length !== dims.reduce((product, dim) => product * dim, 1)) throw new Broken('reader', 'values that do not fit'); // prettier-ignore
    } catch (error) {
      if (error instanceof Broken) throw error;
      refusedWell(error, file);
    }
  }
}

/** The same values written into the same file: it is read again as it was. */
function checkWriting(bytes: Uint8Array, { graph }: OnnxModel, path: string): void {
  const floats = [...graph.initializers.values()].filter(({ external, type }) => !external && /^(float|double)$/.test(type)); // prettier-ignore
  const changes = new Map(floats.map(({ name, dims, values }) => [name, { dims, values: values() }]));
  const again = readOnnx(replaceInitializers(bytes, changes), { path }).graph;
  const texts = (nodes: OnnxGraph['nodes']) => JSON.stringify(nodes.map((node) => ({ ...node, attributes: [...node.attributes.keys()] }))); // prettier-ignore
  if (texts(again.nodes) !== texts(graph.nodes)) throw new Broken('reader', 'its nodes are not those written');
  for (const [name, { values }] of changes)
    if (!again.initializers.get(name)!.values().every((value, i) => Object.is(value, values[i]))) throw new Broken('reader', `${name} is not what was written`); // prettier-ignore
}

/** Reads the bytes alone, and writes every fourth file back. @throws Broken */
export function checkReader(bytes: Uint8Array, path: string): void {
  const before = process.memoryUsage().arrayBuffers;
  let model: OnnxModel;
  try {
    model = readOnnx(bytes, { path });
  } catch (error) {
    return refusedWell(error, path);
  }
  checkOrder(model.graph);
  checkValues(model, path);
  if (bytes.length % 4 === 0) checkWriting(bytes, model, path);
  if (process.memoryUsage().arrayBuffers - before > MEMORY) throw new Broken('memory', 'the reader took too much');
}
