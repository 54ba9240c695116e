/** The network as a graph of its layers: the inputs of each, and which of its units can be removed. */
import type { LayerLinks, LayerUnits, StayCause } from '../../protocol/layers/networkGraph.js';
import { channelCount, channelTies, type ChannelTies, type Pin, type RoledCall } from '../layers/channelTies.js';
import type { LayersModel } from '../model.js';
import { wiringOf, type Call, type Tensor } from '../normalise/wiring.js';

function causeOf({ why, call }: Pin): StayCause {
  if (call === null || call.inputs.length === 0) return { why: why === 'output' ? 'output' : 'input', layer: null };
  const layer = call.node.path;
  if (why === 'fixed') return { why: 'softmax', layer };
  return { why: call.node.calls.length > 1 ? 'shared' : 'mixes', layer };
}

/** The layers with kernels of their own per unit: those in `unitGroups`. A recurrent layer has weights, but none of its units can be removed. */
const hasUnits = ({ call, role }: RoledCall): boolean =>
  role
    ? role.linear !== undefined || call.node.weights.some(({ name }) => name.endsWith('/depthwise_kernel'))
    : call.node.weights.some(({ prunable }) => prunable);

type ByTie<T> = Map<number, Set<T>>;

function note<T>(map: ByTie<T>, tie: number, value: T): void {
  const there = map.get(tie);
  if (there) there.add(value);
  else map.set(tie, new Set([value]));
}

/** The facts on each tie: which layers make its channels, which tie them, and why they cannot be removed. */
function tiesOf({ calls, ties, pins }: ChannelTies) {
  const makers: ByTie<string> = new Map();
  const binders: ByTie<string> = new Map();
  const causes: ByTie<Pin> = new Map();
  const channels = (tensor: Tensor, on: (tie: number, channel: number) => void) => {
    for (let c = 0; c < channelCount(tensor); c++) on(ties.of(tensor, c), c);
  };
  for (const one of calls) {
    const { call, role } = one;
    const output = call.outputs[0];
    if (!output) continue;
    if (hasUnits(one)) channels(output, (tie) => note(makers, tie, call.node.path));
    if (role && call.inputs.length > 1)
      channels(output, (tie, c) => role.tied(c).length > 1 && note(binders, tie, call.node.path));
  }
  for (const pin of pins) channels(pin.tensor, (tie) => note(causes, tie, pin));
  return { makers, binders, causes };
}

/** Each once, in the order in which they were met. */
function distinct(causes: Iterable<StayCause>): StayCause[] {
  const known = new Map<string, StayCause>();
  for (const cause of causes) known.set(`${cause.why} ${cause.layer}`, cause);
  return [...known.values()];
}

/**
 * By layer (as `summarizeLayers` names them). What is called a unit is what neuron budgets and thinning remove: see
 * `channelTies`, which both go by.
 * @param model its weights are needed for their shapes only.
 */
export function layerLinks({ topology, weights }: Pick<LayersModel, 'topology' | 'weights'>): Map<string, LayerLinks> {
  const named = new Map(weights.map((weight) => [weight.name, weight]));
  const wiring = wiringOf(topology);
  const tied = channelTies(wiring, (name) => named.get(name));
  const { makers, binders, causes } = tiesOf(tied);
  const made = new Map<number, Call>();
  for (const call of wiring.calls) for (const { id } of call.outputs) made.set(id, call);

  function unitsOf({ call }: RoledCall): LayerUnits {
    const output = call.outputs[0]!;
    const layer = call.node.path;
    const own = Array.from({ length: channelCount(output) }, (_, c) => tied.ties.of(output, c));
    const distinctTies = [...new Set(own)];
    const of = <T>(map: ByTie<T>) => new Set(distinctTies.flatMap((tie) => [...(map.get(tie) ?? [])]));
    const goWith = [...of(makers)].filter((name) => name !== layer);
    return {
      count: own.length,
      staying: own.filter((tie) => tied.pinned[tie] === 1).length,
      causes: distinct([...of(causes)].map(causeOf)),
      goWith,
      tiedBy: goWith.length > 0 ? [...of(binders)] : [],
    };
  }

  const links = new Map<string, LayerLinks>();
  for (const one of tied.calls) {
    const { call } = one;
    const before = links.get(call.node.path);
    const reads = call.inputs.flatMap(({ id }) => made.get(id)?.node.path ?? []);
    links.set(call.node.path, {
      reads: [...new Set([...(before?.reads ?? []), ...reads])],
      units: before?.units ?? (hasUnits(one) ? unitsOf(one) : null),
    });
  }
  return links;
}
