/** CodeLens of a model file: a summary at the top, and a lens at each layer. */
import type { CodeLens, Range } from 'vscode-languageserver-protocol/node';
import type { LayerKept } from '../protocol/events.js';
import type { AbsolutePath } from '../protocol/paths.js';
import type { ModelFile } from './modelFiles.js';
import { command } from './planLens.js';
import { bytes, count, shortCount, shortPercent } from '../protocol/format.js';
import { shapeText } from './text.js';
import { LIMITS } from './limits.js';

/** Layers on one line (a model.json without line breaks) would make one lens of all: then the top lens speaks alone. */
const LAYERS_PER_LINE = 2;

const TOP: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

interface Drawn {
  readonly path: AbsolutePath;
  readonly zeros: number | null;
  readonly latest: readonly LayerKept[] | null;
  readonly lenses: CodeLens[];
}

/** The editor requests lenses after every change of the view; those of a version are computed once, until its numbers change. */
const drawn = new WeakMap<ModelFile, Drawn>();

/**
 * @param path of the model's file, as the client names it. @param zeros prunable weights that are zero; null while they are not counted.
 * @param latest kept weights per layer after the latest run of a plan of this model.
 */
export function modelLenses(
  model: ModelFile,
  path: AbsolutePath,
  zeros: number | null,
  latest: readonly LayerKept[] | null,
): CodeLens[] {
  const known = drawn.get(model);
  if (known && known.path === path && known.zeros === zeros && known.latest === latest) return known.lenses;
  const lenses = draw(model, path, zeros, latest);
  drawn.set(model, { path, zeros, latest, lenses });
  return lenses;
}

function draw(
  model: ModelFile,
  path: AbsolutePath,
  zeros: number | null,
  latest: readonly LayerKept[] | null,
): CodeLens[] {
  const { layers } = model;
  const sum = (key: 'params' | 'prunable' | 'flops') => layers.reduce((total, layer) => total + layer[key], 0);
  const prunable = sum('prunable');
  const facts = [
    // The same weights that a budget counts, as at every layer below.
    `${count(sum('params'))} weights${prunable > 0 ? ` (${count(prunable)} prunable)` : ''}`,
    bytes(4 * sum('params')),
    `${shortCount(sum('flops'))} FLOPs`,
    ...(zeros === null ? [] : [`${shortPercent(prunable > 0 ? zeros / prunable : 0)} zeros`]),
  ];
  const lenses: CodeLens[] = [
    { range: TOP, command: command(facts.join(', '), 'lcPrune.inspectModel', { model: path }) },
    ...(prunable > 0
      ? [{ range: TOP, command: command('$(target) Prune to budget...', 'lcPrune.pruneModel', { model: path }) }]
      : []),
    { range: TOP, command: command('$(list-tree) Inspect', 'lcPrune.inspectModel', { model: path }) },
  ];
  const perLine = new Map<number, number>();
  for (const { start } of model.places.values()) perLine.set(start.line, (perLine.get(start.line) ?? 0) + 1);
  const kept = new Map((latest ?? []).map((layer) => [layer.layer, layer]));
  for (const layer of layers.slice(0, LIMITS.layerLenses)) {
    const place = model.places.get(layer.name);
    if (!place || perLine.get(place.start.line)! > LAYERS_PER_LINE) continue;
    const range = { start: place.start, end: place.start };
    const result = kept.get(layer.name);
    const text = [
      `${layer.className} ${shapeText(layer.outputShape)}`,
      ...(layer.params > 0 ? [`${count(layer.prunable || layer.params)} weights`] : []),
      ...(layer.prunable > 0 ? [`${shortPercent(layer.prunable / prunable)} of all`] : []),
      ...(result && result.weights > 0 ? [`${shortPercent(result.kept / result.weights)} kept`] : []),
    ].join(', ');
    lenses.push({ range, command: command(text, 'lcPrune.inspectModel', { model: path }) });
    if (layer.prunable === 0) continue;
    const argument = { model: path, layer: layer.name };
    lenses.push(
      { range, command: command('Set budget...', 'lcPrune.setBudget', argument) },
      { range, command: command('Exclude', 'lcPrune.excludeLayer', argument) },
    );
  }
  return lenses;
}

/** While a large model is being read. */
export const readingLens = (path: AbsolutePath): CodeLens[] => [
  { range: TOP, command: command('$(sync~spin) Reading the model...', 'lcPrune.inspectModel', { model: path }) },
];

/** A file that looks like a model but cannot be pruned. @param problem "is a graph-model, ..."; null: no lens. */
export const problemLens = (path: AbsolutePath, problem: string | null): CodeLens[] =>
  problem === null
    ? []
    : [{ range: TOP, command: command(`$(warning) This file ${problem}`, 'lcPrune.inspectModel', { model: path }) }];
