import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { INNER, layer } from '../../keras3/arguments.js';
import { oneOf } from '../../keras3/values.js';
import { joined } from '../../files/groupNames.js';
import { field, isLayerJson, own, type LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { within } from '../rules/forward.js';

/** Names of the weights of one direction begin with it. */
const wayName = (way: 'forward' | 'backward', { config: { name } }: LayerJson): string =>
  `${way}_${typeof name === 'string' ? name : ''}/`;

/** Fewer units than directions could be taken for directions. */
const FEWEST_UNITS = 3;

/** Both directions side by side. One setting is the number of units of both: a unit is one of each, at the same index. */
function sideBySide(op: Operations, y: Node, z: Node): Node | null {
  const units = y.shape.at(-1)!;
  if (units < FEWEST_UNITS) return null;
  const before = y.shape.slice(0, -1);
  const both = [y, z].map((one) => op.reshape(one, [...before, 1, units]));
  return op.reshape(op.concat(both, before.length), [...before, 2 * units]);
}

const MERGES: Readonly<Record<string, (op: Operations, y: Node, z: Node) => Node | null>> = {
  concat: sideBySide,
  sum: (op, y, z) => op.add(y, z),
  mul: (op, y, z) => op.mul(y, z),
  ave: (op, y, z) => op.mul(op.add(y, z), 0.5),
};

/** A recurrent layer in both directions of time. */
export const BIDIRECTIONAL = {
  Bidirectional: {
    takesStates: true,
    shape(config, [input], of) {
      if (!input || !isLayerJson(config.layer)) return [null];
      const [output, ...states] = of(config.layer, [input]);
      const mode = field(config, 'merge_mode');
      const both = states.length > 0 ? [...states, ...states] : [];
      if (!output) return [null];
      if (mode === null) return [output, output, ...both];
      if (mode !== undefined && mode !== 'concat') return [output, ...both];
      // TensorFlow.js always doubles the last axis.
      return [[...output.slice(0, -1), output.at(-1) == null ? null : output.at(-1)! * 2], ...both];
    },
    weights(config, input, of) {
      const { layer: inner } = config;
      if (!isLayerJson(inner)) return [];
      return (['forward', 'backward'] as const).flatMap((way) =>
        of(inner, input).map((part) => ({ ...part, name: `${wayName(way, inner)}${part.name}` })),
      );
    },
    forward(op, config, [x, ...states], weights, { masks: [mask = null], of }) {
      const { layer: inner } = config;
      const mode = field(config, 'merge_mode') ?? (config['merge_mode'] === null ? null : 'concat');
      if (!isLayerJson(inner) || mode === null) return null;
      const backwards = field(inner.config, 'go_backwards') === true;
      const sequences = field(inner.config, 'return_sequences') === true;
      const half = states.length / 2;
      const ways = (['forward', 'backward'] as const).map((way, i) => {
        const directed = { ...inner.config, goBackwards: undefined, go_backwards: backwards !== (i === 1) };
        const given = states.slice(i * half, (i + 1) * half);
        return of({ ...inner, config: directed }, [x!, ...given], within(weights, wayName(way, inner)), [
          mask,
          ...given.map(() => null),
        ]);
      });
      const [there, back] = ways;
      if (!there || !back) return null;
      const [y, z] = [there[0]!, sequences ? op.reverse(back[0]!, [1]) : back[0]!];
      const merged = typeof mode === 'string' ? (own(MERGES, mode)?.(op, y, z) ?? null) : null;
      return merged && [merged, ...there.slice(1), ...back.slice(1)];
    },
    resize({ layer: inner }, left) {
      if (isLayerJson(inner)) left.of(inner, { ...left, weights: within(left.weights, wayName('forward', inner)) });
    },
    owners: ({ config }) => [config.layer, config.layer].filter(isLayerJson),
    mask: 'steps',
    maskInTfjs: 'steps',
    keras: layer({
      layer: INNER,
      merge_mode: { kind: oneOf('concat', 'sum', 'mul', 'ave'), nullable: true },
    }),
    groups({ config }, of) {
      const { layer: inner } = config;
      if (!isLayerJson(inner)) return [''];
      return ['forward_layer', 'backward_layer'].flatMap((way) => of(inner).map((group) => joined(way, group)));
    },
  },
} satisfies Record<string, LayerClass>;
