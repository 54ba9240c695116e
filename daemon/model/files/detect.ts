/** Cheap recognition of models in an editor: by content, without parsing the whole text, and tolerant of text being typed. */

import { CONTAINERS } from '../layers/layerConfig.js';

/** Most characters of a text that are examined. */
const HEAD = 65536;

/** The beginning of graph-models. */
const GRAPHS = [/"modelTopology"\s*:\s*\{\s*"(node|library|versions)"\s*:/, /"format"\s*:\s*"graph-model"/];

/**
 * Whether a text is a layers-model (or a Keras topology) in JSON; false for graph-models, manifests, plans and other JSON. Reads the first 64 kB;
 * never throws.
 */
export function isModelJson(text: string): boolean {
  const head = text.slice(0, HEAD);
  if (!/^\uFEFF?\s*\{/.test(head)) return false;
  if (GRAPHS.some((mark) => mark.test(head))) return false;
  const isTopology = /"class_name"\s*:\s*"(Sequential|Functional|Model)"/.test(head);
  return isTopology && (/"(modelTopology|model_config|keras_version)"\s*:/.test(head) || /"config"\s*:/.test(head));
}

/** Whether a text is a graph-model of TensorFlow.js, which has no layers any more. Reads its first 64 kB, as above. */
export function isGraphModelJson(text: string): boolean {
  const head = text.slice(0, HEAD);
  return /^\uFEFF?\s*\{/.test(head) && GRAPHS.some((mark) => mark.test(head));
}

export interface LayerPosition {
  /** As in LayerSummary: nested models' names and its own, joined by "/". */
  readonly name: string;
  readonly className: string;
  /** Of the layer's opening brace, in UTF-16 units, and of its whole object; the text's end if that is not closed. */
  readonly offset: number;
  readonly length: number;
  /** Of that brace, both from 0. */
  readonly line: number;
  readonly column: number;
}

/** An open object or array on the way to a layer, with the locator's state. */
interface Frame {
  readonly parent: Frame | null;
  readonly array: boolean;
  /** Its key in the parent object. */
  readonly key: string;
  readonly offset: number;
  /** A model: the whole file, its topology, or a layer (which may be a nested model). */
  readonly model: boolean;
  /** An array of layers. */
  readonly layers: boolean;
  className: string;
  name: string | null;
  /** Offset after the closing bracket. */
  end: number;
}

/** Keys that lead to layers, or name them; every other value is skipped. */
const KEYS = ['class_name', 'name', 'config', 'layers', 'modelTopology', 'model_config'];

/** The frame of a value that may contain layers; null for one that cannot. */
function frameAt(parent: Frame | null, array: boolean, key: string, offset: number): Frame | null {
  const frame = (model: boolean, layers: boolean): Frame => ({
    parent,
    array,
    key,
    offset,
    model,
    layers,
    className: '',
    name: null,
    end: Infinity,
  });
  if (parent === null) return array ? null : frame(true, false);
  if (parent.layers) return array ? null : frame(true, false);
  if (parent.array) return null;
  if (key === 'modelTopology' || key === 'model_config') return array || !parent.model ? null : frame(true, false);
  // A model's config; before Keras 2.2.3 it is the list of layers itself.
  if (key === 'config') return parent.model ? frame(false, array) : null;
  if (key === 'layers') return array && parent.key === 'config' && !parent.model ? frame(false, true) : null;
  return null;
}

/** Index of the quote that closes the string opened at `start`; the text's end when it is open. */
function closingQuote(text: string, start: number): number {
  for (let end = start + 1; ; end++) {
    end = text.indexOf('"', end);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** Index of the bracket that closes the one at `start`; the text's end when it is open. */
function closingBracket(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) i = closingQuote(text, i);
    else if (c === 0x7b || c === 0x5b) depth++;
    else if ((c === 0x7d || c === 0x5d) && --depth === 0) return i;
  }
  return text.length;
}

/** A string without its escapes; unchanged if it is truncated. */
function decoded(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1);
  }
}

/** Line and column of ascending offsets. */
function withLines(text: string, found: readonly Omit<LayerPosition, 'line' | 'column'>[]): LayerPosition[] {
  let line = 0;
  let lineStart = 0;
  let next = text.indexOf('\n');
  return found.map((entry) => {
    while (next >= 0 && next < entry.offset) {
      line++;
      lineStart = next + 1;
      next = text.indexOf('\n', lineStart);
    }
    return { ...entry, line, column: entry.offset - lineStart };
  });
}

/**
 * Position of each layer in a model.json, in the text's order; containers are listed before their layers.
 * One pass that skips everything that cannot contain layers: 20 MB take well under 200 ms. In broken text it finds the complete parts.
 */
export function locateLayers(text: string): LayerPosition[] {
  const found: Frame[] = [];
  let top = null as Frame | null;
  // The last string read in the current object, by its ends, and whether a colon has made it a key.
  let keyStart = 0;
  let keyEnd = 0;
  let isKey = false;
  const keyText = (): string => {
    const known = isKey
      ? KEYS.find((key) => key.length === keyEnd - keyStart && text.startsWith(key, keyStart))
      : undefined;
    return known ?? '';
  };

  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      const end = closingQuote(text, i);
      if (!isKey) {
        keyStart = i + 1;
        keyEnd = end;
      } else if (top !== null) {
        const key = keyText();
        if (key === 'class_name') top.className = text.slice(i + 1, end);
        else if (key === 'name') top.name ??= decoded(text.slice(i, end + 1));
      }
      i = end;
    } else if (c === 0x3a) isKey = true;
    else if (c === 0x2c) isKey = false;
    else if (c === 0x7b || c === 0x5b) {
      const next = frameAt(top, c === 0x5b, keyText(), i);
      isKey = false;
      if (next === null) {
        i = closingBracket(text, i);
        continue;
      }
      if (next.parent?.layers) found.push(next);
      top = next;
    } else if (c === 0x7d || c === 0x5d) {
      isKey = false;
      const closed: Frame | null = top;
      if (closed === null) continue;
      closed.end = i + 1;
      top = closed.parent;
      // The config's name is the layer's, even if the entry has another.
      if (top !== null && closed.key === 'config' && closed.name !== null) top.name = closed.name;
    }
  }
  const layers = found.filter((frame) => frame.className !== '' && containers(frame));
  return withLines(
    text,
    layers.map((frame) => ({ ...describe(frame), length: Math.min(frame.end, text.length) - frame.offset })),
  );
}

/** The layers around a layer, from the inside. */
function* around(frame: Frame): Generator<Frame> {
  for (let at: Frame | null = frame; at !== null; at = at.parent) if (at.parent?.layers) yield at;
}

/** Whether all containers around a layer are models: other layers may have lists of that name too. */
const containers = (frame: Frame): boolean =>
  [...around(frame)].slice(1).every((outer) => CONTAINERS.has(outer.className));

function describe(frame: Frame): { offset: number; name: string; className: string } {
  const names = [...around(frame)].map((at) => at.name ?? '').reverse();
  return { offset: frame.offset, name: names.join('/'), className: frame.className };
}
