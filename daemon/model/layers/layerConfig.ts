/** Reads a layer's JSON config: Keras writes snake_case, early TensorFlow.js wrote camelCase, and numbers stand for pairs. */

export type Json = Record<string, unknown>;

/** One entry of a model's `layers`. */
export interface LayerJson {
  class_name: string;
  config: Json;
  name?: unknown;
  inbound_nodes?: unknown;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own property only: a file may name "constructor" or "__proto__". */
export const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

export const isLayerJson = (value: unknown): value is LayerJson & Json =>
  isObject(value) && typeof value.class_name === 'string' && isObject(value.config);

/** Containers are models used as layers; their config is itself a topology. */
export const CONTAINERS: ReadonlySet<string> = new Set(['Sequential', 'Model', 'Functional']);

/** A container's layer list: `config` itself (before Keras 2.2.3) or `config.layers`. */
export function layersOf(container: { class_name: string; config: unknown }): LayerJson[] {
  const list = Array.isArray(container.config)
    ? (container.config as unknown[])
    : isObject(container.config) && Array.isArray(container.config.layers)
      ? (container.config.layers as unknown[])
      : [];
  return list.filter((layer) => isObject(layer) && typeof layer.class_name === 'string') as unknown as LayerJson[];
}

const camelCase = new Map<string, string>();

/** The value at `key` (snake_case), or at its camelCase spelling. */
export function field(config: Json, key: string): unknown {
  const value = config[key];
  if (value !== undefined) return value;
  let camel = camelCase.get(key);
  if (camel === undefined) {
    camel = key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    camelCase.set(key, camel);
  }
  return config[camel];
}

export function numberAt(config: Json, key: string): number | null {
  const value = field(config, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function stringAt(config: Json, key: string): string | null {
  const value = field(config, key);
  return typeof value === 'string' ? value : null;
}

/** `n` numbers: an array of n, or one number for all; null when it is neither. */
export function tupleAt(config: Json, key: string, n: number, fallback: number): number[] | null {
  const value = field(config, key) ?? fallback;
  if (typeof value === 'number') return new Array<number>(n).fill(value);
  if (!Array.isArray(value)) return null;
  const numbers = (value as unknown[]).filter((item): item is number => typeof item === 'number');
  if (numbers.length !== value.length) return null;
  if (numbers.length === 1 && n > 1) return new Array<number>(n).fill(numbers[0]!);
  return numbers.length === n ? numbers : null;
}

export const channelsFirst = (config: Json): boolean => /first$/i.test(stringAt(config, 'data_format') ?? '');

/** The layer's name: `config.name`, else the entry's own. */
export function layerName(layer: LayerJson): string {
  const name = isObject(layer.config) ? layer.config.name : undefined;
  return typeof name === 'string' ? name : typeof layer.name === 'string' ? layer.name : '';
}
