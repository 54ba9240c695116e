/** Completion in plans: keys and values of the schema, layer names of the model, files beside the plan, data sets by name. */
import { findNodeAtLocation, getLocation, parseTree } from 'jsonc-parser';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  CompletionItemKind,
  InsertTextFormat,
  type CompletionItem,
  type Range,
} from 'vscode-languageserver-protocol/node';
import * as z from 'zod';
import { isKind, wordsOf } from '../lc/budgets/budgetSpec.js';
import { WORDS } from '../lc/budgets/registry.js';
import { BUILTIN_DATA } from '../protocol/dataPackages.js';
import type { LayerSummary } from '../model/model.js';
import { keysAt, schemasAt } from '../plan/schemaKeys.js';
import { Plan } from '../protocol/plan.js';
import { explainSetting } from './settings.js';
import { count } from '../protocol/format.js';
import { shapeText } from './text.js';

export interface CompletionPlace {
  /** Absolute path of the plan file. */
  readonly path: string;
  readonly layers: readonly LayerSummary[] | null;
  range(offset: number, length: number): Range;
}

type Path = readonly (string | number)[];

/** The text inserted after a key: a value of the likely type, with the cursor inside. */
const VALUES: Readonly<Record<string, string>> = {
  model: '"${1:model.json}"',
  data: '"${1:mnist}"',
  budget: '{ "keep": "${1:1%}" }',
  ...Object.fromEntries(Object.entries(WORDS).map(([kind, { snippet }]) => [`budget.${kind}`, snippet])),
  'budget.layers': '{ "${1:layer}": { "floor": "${2:10%}" } }',
  tasks: '[\n\t{ "layers": "${1:*}", "budget": { "keep": "${2:1%}" } }\n]',
  'tasks.*.layers': '"${1:*}"',
  'tasks.*.budget': '{ "keep": "${1:1%}" }',
  exclude: '["${1:layer}"]',
  unfreeze: '${1:true}',
  runOn: '{ "slurm": { "time": "${1:2:00:00}" } }',
  'runOn.command': '"${1:ssh box} {cmd}"',
};

function snippetFor(path: Path): string {
  const dotted = path.map((part) => (typeof part === 'number' ? '*' : part)).join('.');
  const known = VALUES[dotted] ?? VALUES[dotted.replace(/^tasks\.\*\.(?=budget\.)/, '')];
  if (known !== undefined) return known;
  const schemas = schemasAt(Plan, path);
  if (schemas.some((schema) => schema instanceof z.ZodObject || schema instanceof z.ZodRecord)) return '{ $1 }';
  if (schemas.some((schema) => schema instanceof z.ZodArray)) return '[$1]';
  if (schemas.some((schema) => schema instanceof z.ZodEnum || schema instanceof z.ZodString)) return '"$1"';
  return '$1';
}

function enumValues(path: Path): string[] {
  return schemasAt(Plan, path).flatMap((schema) => (schema instanceof z.ZodEnum ? schema.options.map(String) : []));
}

function keyItems(path: Path, present: ReadonlySet<string>, place: CompletionPlace): CompletionItem[] {
  const isLayers = path.at(-1) === 'layers' && path.includes('budget');
  if (isLayers && place.layers) {
    return place.layers
      .filter((layer) => layer.prunable > 0 && !present.has(layer.name))
      .map((layer) =>
        keyItem(layer.name, '{ "floor": "${1:10%}" }', layerDetail(layer), null, CompletionItemKind.Field),
      );
  }
  return keysAt(Plan, path)
    .filter((key) => !present.has(key))
    .map((key) =>
      keyItem(key, snippetFor([...path, key]), null, explainSetting([...path, key]), CompletionItemKind.Property),
    );
}

const layerDetail = (layer: LayerSummary): string =>
  `${layer.className} ${shapeText(layer.outputShape)}, ${count(layer.prunable)} weights`;

function keyItem(
  key: string,
  value: string,
  detail: string | null,
  documentation: string | null,
  kind: CompletionItemKind,
): CompletionItem {
  return {
    label: key,
    kind,
    filterText: `"${key}"`,
    insertText: `"${key}": ${value}`,
    insertTextFormat: InsertTextFormat.Snippet,
    ...(detail === null ? {} : { detail }),
    ...(documentation === null ? {} : { documentation: { kind: 'markdown', value: documentation } }),
  };
}

function valueItem(value: string, kind: CompletionItemKind, detail?: string): CompletionItem {
  const text = JSON.stringify(value);
  return { label: value, kind, filterText: text, insertText: text, ...(detail === undefined ? {} : { detail }) };
}

const isLayerList = (path: Path): boolean =>
  path[0] === 'exclude' || path[0] === 'unfreeze' || (path[0] === 'tasks' && path[2] === 'layers' && path.length <= 4);

async function valueItems(path: Path, place: CompletionPlace): Promise<CompletionItem[]> {
  const last = path.at(-1);
  const items = enumValues(path).map((value) => valueItem(value, CompletionItemKind.EnumMember));
  if (schemasAt(Plan, path).some((schema) => schema instanceof z.ZodBoolean)) {
    items.push(...['true', 'false'].map((label) => ({ label, kind: CompletionItemKind.Value })));
  }
  if (isLayerList(path)) {
    const frozen = path[0] === 'unfreeze';
    const prunable = (place.layers ?? []).filter((layer) => (frozen ? layer.frozen : layer.prunable > 0));
    items.push(...prunable.map((layer) => valueItem(layer.name, CompletionItemKind.Field, layerDetail(layer))));
    if (path[0] === 'tasks') items.push(valueItem('*', CompletionItemKind.Value, 'every prunable layer left'));
  }
  const files = await readdir(dirname(place.path)).catch(() => [] as string[]);
  if (last === 'model') {
    const models = files.filter(
      (name) => /\.(json|keras|h5|hdf5|onnx)$/i.test(name) && !/\.prune\.json$|^(package|tsconfig)/i.test(name),
    );
    items.push(...models.map((name) => valueItem(name, CompletionItemKind.File)));
  }
  if (last === 'data' || (path[0] === 'data' && (last === 'source' || last === 'test'))) {
    if (last !== 'test')
      items.push(...BUILTIN_DATA.map((name) => valueItem(name, CompletionItemKind.Constant, 'built in')));
    const data = files.filter((name) => /\.(npy|npz|csv|parquet|gz|mjs)$|ubyte/i.test(name));
    items.push(...data.map((name) => valueItem(name, CompletionItemKind.File)));
  }
  if (path.at(-2) === 'budget' && typeof last === 'string' && isKind(last)) {
    const { suggestions = [] } = wordsOf(last);
    items.push(...suggestions.map((value) => valueItem(value, CompletionItemKind.Value)));
  }
  return items;
}

/** Items for the cursor at `offset`; each replaces the word (string, key) at the cursor. */
export async function completePlan(text: string, offset: number, place: CompletionPlace): Promise<CompletionItem[]> {
  const location = getLocation(text, offset);
  const path = location.path;
  const previous = location.previousNode;
  const inside = previous && previous.offset <= offset && offset <= previous.offset + previous.length ? previous : null;
  const range = inside ? place.range(inside.offset, inside.length) : place.range(offset, 0);
  let items: CompletionItem[];
  if (location.isAtPropertyKey) {
    const present = keysOfObjectAround(text, offset, path.slice(0, -1));
    items = keyItems(path.slice(0, -1), present, place);
    // There is a value after the key already: only the key changes.
    const hasValue = inside !== null && /^\s*:/.test(text.slice(inside.offset + inside.length));
    if (hasValue)
      items = items.map((item) => ({
        ...item,
        insertText: `"${item.label}"`,
        insertTextFormat: InsertTextFormat.PlainText,
      }));
  } else items = await valueItems(path, place);
  return items.map(({ insertText, ...item }) => ({ ...item, textEdit: { range, newText: insertText ?? item.label } }));
}

/** Keys that the object around the cursor has already, without the one under the cursor. */
function keysOfObjectAround(text: string, offset: number, path: Path): Set<string> {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const object = tree && (path.length > 0 ? findNodeAtLocation(tree, [...path]) : tree);
  const keys = (object?.children ?? []).map((property) => property.children?.[0]);
  return new Set(
    keys.flatMap((key) =>
      key && (offset < key.offset || offset > key.offset + key.length) ? [String(key.value)] : [],
    ),
  );
}
