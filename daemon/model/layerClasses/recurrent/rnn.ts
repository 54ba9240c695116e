/** RNN over a cell, or over cells stacked on each other. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { INNER, layer } from '../../keras3/arguments.js';
import { field, isLayerJson, numberAt, own, type LayerJson } from '../../layers/layerConfig.js';
import type { Shape } from '../../layers/shape.js';
import { groupNamer, joined } from '../../files/groupNames.js';
import type { LayerClass } from '../layerClass.js';
import { within } from '../rules/forward.js';
import { CELLS, SEQUENCE } from './gated.js';
import { unrolled, type Cell } from './unrolled.js';

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

/** Names of the weights of one of several stacked cells begin with it. */
const stackedName = (i: number): string => `RNNCell_${i}/`;

/** Operations of a cell, or of cells that read each other's outputs; null: a class without them. */
function stackOf(op: Operations, layer: LayerJson, weights: Readonly<Record<string, Node>>): (Cell & { readonly isStacked: boolean }) | null {
  const isStacked = layer.class_name === 'StackedRNNCells';
  const layers = isStacked ? cellsOf(layer) : [layer];
  const records = layers.map(({ class_name: name }) => own(CELLS, name));
  if (layers.length === 0 || records.includes(undefined)) return null;
  const counts = records.map((record) => record!.states);
  const sizes = layers.flatMap(({ config }, i) => new Array<number>(counts[i]!).fill(numberAt(config, 'units')!));
  const step: Cell['step'] = (x, states) => {
    let output = x;
    const next: Node[] = [];
    for (const [i, { config }] of layers.entries()) {
      const parts = isStacked ? within(weights, stackedName(i)) : weights;
      const made = records[i]!.step(op, config, output, states.slice(next.length, next.length + counts[i]!), parts);
      if (!made) return null;
      output = made[0]!;
      next.push(...made);
    }
    return { output, states: next };
  };
  return { units: numberAt(layers.at(-1)!.config, 'units')!, sizes, step, isStacked };
} // prettier-ignore

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
    forward(op, config, inputs, weights, { masks: [mask = null] }) {
      const cell = isLayerJson(config.cell) ? stackOf(op, config.cell, weights) : null;
      // TensorFlow.js gives and takes the states of the last cell first.
      const takesStates = field(config, 'return_state') === true || inputs.length > 1;
      if (!cell || (takesStates && cell.isStacked)) return null;
      return unrolled(op, config, inputs, mask, cell);
    },
    resize({ cell }, left) {
      if (isLayerJson(cell)) left.of(cell, left);
    },
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
        const parts = of(cell, [steps, size]).map((part) => ({ ...part, name: `${stackedName(i)}${part.name}` }));
        size = numberAt(cell.config, 'units');
        return parts;
      });
    },
    resize: (config, left) =>
      cellsOf({ class_name: 'StackedRNNCells', config }).forEach((cell, i) =>
        left.of(cell, { ...left, weights: within(left.weights, stackedName(i)) }),
      ),
    owners: cellsOf,
    keras: layer({ cells: INNER }),
    groups(layer) {
      const namer = groupNamer();
      return cellsOf(layer).map((cell) => `cells/${namer(cell.class_name)}`);
    },
  },
} satisfies Record<string, LayerClass>;
