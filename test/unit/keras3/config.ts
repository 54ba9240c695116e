/** A Keras 3 config as JSON, and how the checker refuses it. */

export type Json = Record<string, unknown>;
export interface LayerJson {
  readonly class_name: string;
  readonly config: Json;
  readonly name?: string;
  readonly inbound_nodes?: unknown[];
  readonly module?: unknown;
}

export class Keras3Error extends Error {}
export const refuse = (where: string, problem: string): never => {
  throw new Keras3Error(`${where}: ${problem}`);
};

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isLayer = (value: unknown): value is LayerJson =>
  isObject(value) && typeof value.class_name === 'string' && isObject(value.config);
export const isContainer = (layer: LayerJson): boolean =>
  ['Sequential', 'Functional', 'Model'].includes(layer.class_name);
export const nameOf = (layer: LayerJson): string => String(layer.name ?? layer.config.name);
export const layersIn = (model: LayerJson): LayerJson[] => model.config.layers as LayerJson[];

export const integer = (value: unknown): boolean => Number.isInteger(value);

/** The layers that a class's config holds. */
export const innerLayers = ({ config }: LayerJson): LayerJson[] =>
  [
    config.layer,
    config.cell,
    config.backward_layer,
    ...(Array.isArray(config.cells) ? (config.cells as unknown[]) : []),
  ].filter(isLayer);
