/** RNN over a cell, or over cells stacked on each other. */
import { INNER, layer } from '../../keras3/arguments.js';
import { field, isLayerJson, numberAt, own, type LayerJson } from '../../layers/layerConfig.js';
import type { Shape } from '../../layers/shape.js';
import { groupNamer, joined } from '../../files/groupNames.js';
import type { LayerClass } from '../layerClass.js';
import { CELLS, SEQUENCE } from './gated.js';

const cellsOf = ({ config }: LayerJson): LayerJson[] => {
  const cells = field(config, 'cells');
  return Array.isArray(cells) ? (cells as unknown[]).filter(isLayerJson) : [];
};

/** Output sizes of a cell and of its states. */
function cellStates(cell: LayerJson): (number | null)[] {
  // As TensorFlow.js: the last cell's states come first.
  if (cell.class_name === 'StackedRNNCells')
    return Array.isArray(field(cell.config, 'cells')) ? cellsOf(cell).reverse().flatMap(cellStates) : [null];
  const states = own(CELLS, cell.class_name)?.states ?? 1;
  return new Array<number | null>(states).fill(numberAt(cell.config, 'units'));
}

export const RNN_LAYERS = {
  RNN: {
    recurrent: true,
    takesStates: true,
    shape(config, [input]) {
      const { cell } = config;
      if (!input || input.length !== 2 || !isLayerJson(cell)) return [null];
      const states = cellStates(cell);
      const output: Shape = field(config, 'return_sequences') === true ? [input[0]!, states[0]!] : [states[0]!];
      return field(config, 'return_state') === true ? [output, ...states.map((size): Shape => [size])] : [output];
    },
    weights: (config, input, of) => (isLayerJson(config.cell) ? of(config.cell, input) : []),
    owners: ({ config }) => [config.cell].filter(isLayerJson),
    mask: 'steps',
    maskInTfjs: 'reads',
    keras: layer({ cell: INNER, ...SEQUENCE }),
    groups({ config }, of) {
      const { cell } = config;
      return isLayerJson(cell) ? of(cell).map((group) => joined('cell', group)) : ['cell'];
    },
  },
  StackedRNNCells: {
    recurrent: true,
    weights(config, input, of) {
      const steps = input?.[0] ?? null;
      let size = input?.at(-1) ?? null;
      return cellsOf({ class_name: 'StackedRNNCells', config }).flatMap((cell, i) => {
        const parts = of(cell, [steps, size]).map((part) => ({ ...part, name: `RNNCell_${i}/${part.name}` }));
        size = numberAt(cell.config, 'units');
        return parts;
      });
    },
    owners: cellsOf,
    keras: layer({ cells: INNER }),
    groups(layer) {
      const namer = groupNamer();
      return cellsOf(layer).map((cell) => `cells/${namer(cell.class_name)}`);
    },
  },
} satisfies Record<string, LayerClass>;
