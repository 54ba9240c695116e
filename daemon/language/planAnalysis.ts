/** Analyses a plan's text: its content, the files it names and all problems. All plan features use it. */
import { findNodeAtLocation, type Node } from 'jsonc-parser';
import { readdir, stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { BUILTIN_DATA, isBuiltinData } from '../protocol/dataPackages.js';
import { missingPackages } from '../data/builtin/builtinPackages.js';
import type { LayerSummary } from '../model/model.js';
import { resolveInside, workspacePath } from '../files/workspacePath.js';
import { parsePlan, type PlanProblem } from '../plan/parsePlan.js';
import { PlanMeaningError, resolvePlan } from '../plan/resolvePlan.js';
import { nearest } from '../plan/suggest.js';
import { UserError } from '../protocol/errors.js';
import type { DataPackage } from '../protocol/dataPackages.js';
import type { ARCHITECTURES } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';

/** A replacement of [offset, offset + length) that corrects a problem. */
export interface Fix {
  readonly title: string;
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
  readonly length: number;
  readonly fixes: readonly Fix[];
  /** The plan names data that does not exist: offset and length are those of its source. */
  readonly wantsData?: true;
  /** npm packages whose installation corrects it. */
  readonly packages?: readonly DataPackage[];
}

/** A file (or folder) that the plan names: offset and length are those of the string in quotes. */
export interface NamedFile {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly exists: boolean;
}

export interface PlanAnalysis {
  readonly tree: Node | undefined;
  readonly findings: readonly Finding[];
  readonly model: NamedFile | null;
  readonly data: readonly NamedFile[];
  /** Layers of the model; null if it could not be read. */
  readonly layers: readonly LayerSummary[] | null;
  readonly resolved: ResolvedPlan | null;
}

/** The plan's path, and how its model is read (cached by the caller). */
export interface PlanPlace {
  /** Absolute path of the plan file, and the workspace folder that holds it. */
  readonly path: string;
  readonly folder: string;
  layersOf(modelPath: string): Promise<readonly LayerSummary[]>;
  architectureLayers(architecture: (typeof ARCHITECTURES)[number]): Promise<readonly LayerSummary[]>;
}

/** The node at a path, or the nearest one above it. */
export function nodeNear(tree: Node, path: readonly (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node) return node;
  }
  return tree;
}

const stringAt = (tree: Node | undefined, path: readonly (string | number)[]): Node | null => {
  const node = tree && findNodeAtLocation(tree, [...path]);
  return node?.type === 'string' ? node : null;
};

const replaceNode = (node: Node, text: string, title = `Change to "${text}"`): Fix => ({
  title,
  offset: node.offset,
  length: node.length,
  text: JSON.stringify(text),
});

/** Model or data files with a similar name, and files of that name in other folders. */
async function filesLike(missing: string, place: PlanPlace): Promise<string[]> {
  const folder = dirname(place.path);
  const names = await readdir(folder, { recursive: false }).catch(() => [] as string[]);
  const match = nearest(missing.replace(/^\.\//, ''), names);
  return match === null ? [] : [match];
}

async function nameFile(node: Node, place: PlanPlace): Promise<{ file: NamedFile | null; finding: Finding | null }> {
  const at = { offset: node.offset, length: node.length };
  const written = node.value as string;
  try {
    const path = await resolveInside(place.folder, dirname(place.path), written);
    const exists = (await stat(path).catch(() => null)) !== null;
    return { file: { path, exists, ...at }, finding: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file: null, finding: { code: error.code, message: error.message, ...at, fixes: [] } };
  }
}

async function findModel(tree: Node | undefined, place: PlanPlace, findings: Finding[]): Promise<NamedFile | null> {
  const node = stringAt(tree, ['model']);
  if (!node) return null;
  const { file, finding } = await nameFile(node, place);
  if (finding) findings.push(finding);
  if (file && !file.exists) {
    const like = await filesLike(node.value as string, place);
    const hint = like.length > 0 ? `; did you mean "${like[0]}"?` : '; paths are relative to the plan';
    findings.push({
      code: 'model-missing',
      message: `there is no model at ${relative(place.folder, file.path)}${hint}`,
      offset: node.offset,
      length: node.length,
      fixes: like.map((name) => replaceNode(node, name)),
    });
  }
  return file;
}

async function findData(tree: Node | undefined, place: PlanPlace, findings: Finding[]): Promise<NamedFile[]> {
  const files: NamedFile[] = [];
  for (const path of [['data'], ['data', 'source'], ['data', 'test']]) {
    const node = stringAt(tree, path);
    if (!node) continue;
    if (isBuiltinData(node.value as string)) {
      const packages = missingPackages(node.value as string, place.folder);
      if (packages.length > 0) findings.push(packagesFinding(node, packages));
      continue;
    }
    const { file, finding } = await nameFile(node, place);
    if (finding) findings.push(finding);
    if (!file) continue;
    files.push(file);
    if (file.exists) continue;
    const candidates = [nearest(node.value as string, BUILTIN_DATA), ...(await filesLike(node.value as string, place))];
    const like = [...new Set(candidates.filter((name) => name !== null))];
    const hint = like.length > 0 ? `did you mean "${like[0]}"?` : `built in: ${BUILTIN_DATA.join(', ')}`;
    findings.push({
      code: 'data-missing',
      message: `there is no data at ${relative(place.folder, file.path)}; ${hint}`,
      offset: node.offset,
      length: node.length,
      fixes: like.map((name) => replaceNode(node, name)),
      ...(path.at(-1) !== 'test' && { wantsData: true as const }),
    });
  }
  return files;
}

const packagesFinding = ({ value, offset, length }: Node, packages: readonly DataPackage[]): Finding => ({
  code: 'data-missing',
  message: `the data set "${value}" is not installed; it comes with "npm install ${packages.join(' ')}"`,
  offset,
  length,
  fixes: [],
  packages,
});

function schemaFinding(problem: PlanProblem, tree: Node | undefined): Finding {
  const { offset, length, message, replacement } = problem;
  const fixes: Fix[] = replacement
    ? [{ title: `Change to "${replacement}"`, offset, length, text: JSON.stringify(replacement) }]
    : [];
  // An unknown key can also be removed; the position is the key's, its parent is the property.
  const key = problem.path.at(-1);
  const property = tree && typeof key === 'string' ? findNodeAtLocation(tree, [...problem.path])?.parent : undefined;
  if (property && message.startsWith('unknown key')) fixes.push(removeProperty(property, String(key)));
  return { code: 'plan-invalid', message, offset, length, fixes };
}

function removeProperty(property: Node, key: string): Fix {
  const siblings = property.parent?.children ?? [];
  const index = siblings.indexOf(property);
  const next = siblings[index + 1];
  const before = siblings[index - 1];
  const from = next || !before ? property.offset : before.offset + before.length;
  const to = next ? next.offset : property.offset + property.length;
  return { title: `Remove "${key}"`, offset: from, length: to - from, text: '' };
}

function meaningFinding(error: PlanMeaningError, tree: Node): Finding {
  const { nearest: value } = error;
  const path =
    value && findNodeAtLocation(tree, [...error.path, ...value.key.split('.')])
      ? [...error.path, ...value.key.split('.')]
      : error.path;
  const node = nodeNear(tree, path);
  // An unknown layer among a budget's limits is a key; everywhere else names are values.
  const isLimit = error.path.at(-2) === 'layers' && error.path.at(-3) === 'budget';
  const property = isLimit && node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
  const at = property ?? node;
  const meant = /did you mean "(.+?)"\?/.exec(error.message)?.[1];
  const fixes: Fix[] = [];
  if (meant !== undefined && at.type === 'string') fixes.push(replaceNode(at, meant));
  if (value && path !== error.path) {
    fixes.push({
      title: `Change to the nearest possible: ${value.value}`,
      offset: node.offset,
      length: node.length,
      text: JSON.stringify(value.value),
    });
  }
  return { code: error.code, message: error.message, offset: at.offset, length: at.length, fixes };
}

/** Never throws because of the text; reads the model's topology, and no data. */
export async function analysePlan(text: string, place: PlanPlace): Promise<PlanAnalysis> {
  const { plan, problems, tree } = parsePlan(text);
  const findings: Finding[] = problems.map((problem) => schemaFinding(problem, tree));
  const model = await findModel(tree, place, findings);
  const data = await findData(tree, place, findings);
  let layers: readonly LayerSummary[] | null = null;
  try {
    if (model?.exists) layers = await place.layersOf(model.path);
    else if (plan && typeof plan.model !== 'string') layers = await place.architectureLayers(plan.model.architecture);
  } catch (error) {
    const { offset, length } = model ?? { offset: 0, length: 0 };
    const code = error instanceof UserError ? error.code : 'model-invalid';
    findings.push({ code, message: (error as Error).message.split('\n')[0]!, offset, length, fixes: [] });
  }
  let resolved: ResolvedPlan | null = null;
  if (plan && tree && layers) {
    // Loads the readers of model files, which a text with problems does not need.
    const { planName } = await import('../plan/readPlan.js');
    try {
      resolved = resolvePlan(plan, {
        name: planName(place.path),
        planPath: workspacePath(place.folder, place.path),
        modelPath: model ? workspacePath(place.folder, model.path) : null,
        dataPath: (path) => path,
        layers,
      });
    } catch (error) {
      if (!(error instanceof PlanMeaningError)) throw error;
      findings.push(meaningFinding(error, tree));
    }
  }
  return { tree, findings, model, data, layers, resolved };
}

/** For messages and completion of a layer name. */
export const prunableNames = (layers: readonly LayerSummary[]): string[] =>
  layers.filter((layer) => layer.prunable > 0).map((layer) => layer.name);
