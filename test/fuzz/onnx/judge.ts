/** Opens one file as the product does: the reader, the table of operations, and a pass of a small network. */
import { lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { frontEndOf } from '../../../daemon/model/frontEnds/frontEndOf.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import type { GraphModel } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { fixture } from '../../unit/onnx/file/protos.js';
import { byKernels, compare, passOf, type Pass } from './oracle.js';
import { Broken, checkReader, checkValues, refusedWell } from './readerRules.js';
import type { Verdict } from './verdict.js';

/** Milliseconds of the processor; the largest files have 10,000 nodes. */
const SLOW = 5000;
/** Bytes by which the process may grow. */
const GROWTH = 400 * 2 ** 20;

/** The folder in which files are judged, with what their tensors may name. @param folder real, removed and made again */
export async function makeFolder(folder: string): Promise<string> {
  const own = join(folder, 'models');
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  await mkdir(join(own, 'sub'), { recursive: true });
  await writeFile(join(own, 'external.onnx.data'), fixture('external.onnx.data'));
  await writeFile(join(own, 'empty.data'), '');
  await writeFile(join(folder, 'outside.data'), new Uint8Array(4096));
  await symlink(folder, join(own, 'linked'));
  await symlink(join(folder, 'outside.data'), join(own, 'link.data'));
  await symlink(join(own, 'circle'), join(own, 'circle'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(own, 'pipe')]);
  return own;
}

/** The numbers of the table are counts, and its rows lead to rows. @throws Broken */
function checkTable(model: GraphModel): void {
  const fail = (problem: string): never => {
    throw new Broken('table', problem);
  };
  const frontEnd = frontEndOf(model);
  const links = frontEnd.links();
  const names = new Set<string>();
  for (const { name, params, prunable, flops, weights, outputShape } of summarizeModel(model)) {
    if (names.has(name)) fail(`two rows "${name}"`);
    names.add(name);
    const counts = [params, prunable, flops, ...weights.map(({ size }) => size), ...(outputShape ?? []).map((n) => n ?? 0)]; // prettier-ignore
    if (!counts.every((n) => Number.isFinite(n) && n >= 0)) fail(`"${name}" has counts of [${counts}]`);
  }
  for (const [name, { reads }] of links) for (const from of reads) if (!names.has(from)) fail(`"${name}" reads no row "${from}"`); // prettier-ignore
  frontEnd.inputs();
  frontEnd.outputs();
  frontEnd.asStored();
  const sizes = model.weights.filter(({ shape, data }) => data.length !== shape.reduce((product, n) => product * n, 1));
  if (sizes.length > 0) fail(`the weight ${sizes[0]!.name} does not fit its shape`);
}

/** A pass of more samples than the file was checked with may be too large: its message is about the batch, not about the file. */
function sizedPass(model: GraphModel): Pass | string {
  try {
    return passOf(model);
  } catch (error) {
    if (error instanceof UserError && error.message.endsWith('lower the batch size')) return error.message;
    throw error;
  }
}

type Found = Pick<Verdict, 'kind' | 'what'>;

/** What was opened and is to be compared: the model, its pass, its file. */
type Opened = readonly [GraphModel, Pass, string];

/** Nothing outside of the folder was read, and no link. @throws Broken */
async function checkRead(files: readonly string[], folder: string): Promise<void> {
  for (const file of files)
    if (!file.startsWith(`${folder}/`) || (await lstat(file)).isSymbolicLink()) throw new Broken('reader', `it read ${file}`); // prettier-ignore
}

async function opened(bytes: Uint8Array, folder: string): Promise<Found | Opened> {
  checkReader(bytes, 'net.onnx');
  const path = join(folder, 'net.onnx');
  writeFileSync(path, bytes);
  const read: string[] = [];
  try {
    const model = (await readModel(path, { workspace: folder, onFile: (file) => read.push(file) })) as GraphModel;
    await checkRead(read, folder);
    checkValues(model.file.model, folder);
    checkTable(model);
    const pass = sizedPass(model);
    return typeof pass === 'string' ? { kind: 'uncompared', what: pass } : [model, pass, path];
  } catch (error) {
    if (error instanceof Broken) throw error;
    await checkRead(read, folder);
    refusedWell(error, folder);
    return { kind: 'refused', what: error.message };
  }
}

/** Never rejects for what the file holds. @param stage called with what is done next */
export async function judgeFile(bytes: Uint8Array, folder: string, stage: (name: string) => void): Promise<Found> {
  const [cpu, memory] = [process.cpuUsage(), process.resourceUsage().maxRSS];
  try {
    const found = await opened(bytes, folder);
    const { user, system } = process.cpuUsage(cpu);
    if (user + system > 1000 * SLOW) return { kind: 'slow', what: `${Math.round((user + system) / 1000)} ms` };
    const growth = 1024 * (process.resourceUsage().maxRSS - memory);
    if (growth > GROWTH) return { kind: 'memory', what: `${Math.round(growth / 2 ** 20)} MB` };
    if (!('length' in found)) return found;
    const [model, pass, path] = found;
    const native = byKernels(model, pass);
    stage('comparing');
    return await compare(path, model, pass, native, stage);
  } catch (error) {
    if (error instanceof Broken) return { kind: error.kind, what: error.message };
    return { kind: 'crash', what: ((error as Error).stack ?? String(error)).slice(0, 600) };
  }
}
