import { countOf } from '../../protocol/format.js';
import type { Node } from '../ir.js';
import type { Axis, Classes, Link, Pin } from './classes.js';
import type { Why } from './rule.js';
import type { Step } from './values.js';

/** The reasons why units of a weight stay. */
export interface Reason {
  readonly weight: string;
  readonly axis: number;
  /** The number of units that stay for this reason, and the number of all units. */
  readonly units: number;
  readonly of: number;
  readonly why: Why;
  /** The operation's layer; null for a reason outside of the model. */
  readonly layer: string | null;
  /** The input, output or operand all of whose indices stay. */
  readonly node: Node;
  /** Layers whose operations tie these units to those that stay, from the weight on. */
  readonly through: readonly string[];
}

const keyOf = ({ value, axis }: Axis): string => `${value.id} ${axis}`;

/** Whether units of several weights become one at the operation. */
const merges = ({ node, inputs }: Step): boolean =>
  node.op === 'Concat' || (node.op !== 'MatMul' && !node.op.includes('Conv2D') && inputs.filter(({ fixed }) => !fixed).length > 1); // prettier-ignore

const has = (classes: Classes, { value, axis }: Axis, tie: number): boolean => {
  for (let i = 0; i < value.shape[axis]!; i++) if (classes.of(value, axis, i) === tie) return true;
  return false;
};

/** Finds the nearest axis that makes an index stay. */
export class Causes {
  readonly #links = new Map<string, Link[]>();
  readonly #pins = new Map<string, Pin>();

  constructor(private readonly classes: Classes) {
    for (const link of classes.links)
      for (const end of [link.a, link.b]) {
        const there = this.#links.get(keyOf(end));
        if (there) there.push(link);
        else this.#links.set(keyOf(end), [link]);
      }
    for (const pin of classes.pins) {
      const there = this.#pins.get(keyOf(pin));
      // A reason outside of the model explains more than an operation that is on the way.
      if (!there || (pin.step === null && pin.why !== 'whole')) this.#pins.set(keyOf(pin), pin);
    }
  }

  /** What explains more than that pin: a softmax whose result leaves the model is the model's output. */
  explaining(pin: Pin): Pin {
    const result = pin.why === 'softmax' && pin.step ? this.#pins.get(keyOf({ value: pin.step.output, axis: pin.axis })) : undefined; // prettier-ignore
    return result?.why === 'output' ? result : pin;
  }

  /** @returns the cause and the operations on the way to it. */
  of(start: Axis, index: number): { readonly pin: Pin; readonly way: readonly Step[] } | null {
    const tie = this.classes.of(start.value, start.axis, index);
    const seen = new Set([keyOf(start)]);
    let front: { at: Axis; way: readonly Step[] }[] = [{ at: start, way: [] }];
    while (front.length > 0) {
      const next: typeof front = [];
      for (const { at, way } of front) {
        const pin = this.#pins.get(keyOf(at));
        if (pin) return { pin, way };
        for (const { step, a, b } of this.#links.get(keyOf(at)) ?? []) {
          const other = keyOf(a) === keyOf(at) ? b : a;
          if (seen.has(keyOf(other))) continue;
          seen.add(keyOf(other));
          if (has(this.classes, other, tie)) next.push({ at: other, way: [...way, step] });
        }
      }
      front = next;
    }
    return null;
  }
}

const nameOf = (step: Step): string => step.node.layer ?? step.node.op;

/** The reasons why units of an axis of a weight stay; units with one cause are counted together. */
export function reasonsOf(classes: Classes, causes: Causes, weight: string, at: Axis): Reason[] {
  const { value, axis } = at;
  const n = value.shape[axis]!;
  const reasons: Reason[] = [];
  const open = new Set<number>();
  for (let i = 0; i < n; i++) if (classes.stays(value, axis, i)) open.add(i);
  for (const first of open) {
    const found = causes.of(at, first);
    if (!found) continue;
    const { pin, way } = found;
    const there = new Set<number>();
    for (let i = 0; i < pin.value.shape[pin.axis]!; i++) there.add(classes.of(pin.value, pin.axis, i));
    const alike = [...open].filter((i) => there.has(classes.of(value, axis, i)));
    for (const i of alike) open.delete(i);
    const { why, step, value: held } = causes.explaining(pin);
    reasons.push({
      weight,
      axis,
      units: alike.length,
      of: n,
      why,
      layer: step && nameOf(step),
      node: held.node,
      through: [...new Set(way.filter(merges).map(nameOf))],
    });
  }
  return reasons;
}

const because: Record<Why, (layer: string) => string> = {
  input: () => "the model's input",
  output: () => "the model's output",
  window: (layer) => `the rows and columns of "${layer}"`,
  statistic: (layer) => `the mean over all of them that "${layer}" takes`,
  softmax: (layer) => `the softmax over all of them of "${layer}"`,
  compared: (layer) => `"${layer}", which needs all of them at once`,
  'looked up': (layer) => `"${layer}", which chooses from them by number`,
  split: (layer) => `"${layer}", which splits them into equal parts`,
  constant: (layer) => `the constant matrix of "${layer}"`,
  whole: () => 'each other: without them nothing would be left',
};

/** "all 16 units stay: tied to the model's output through "add_3"". */
export function reasonText({ units, of, why, layer, through }: Reason): string {
  const which = units === of ? `all ${countOf(of, 'unit')} stay` : `${units} of ${countOf(of, 'unit')} stay`;
  const way = through.length === 0 ? '' : ` through ${through.map((name) => `"${name}"`).join(', ')}`;
  return `${which}: tied to ${because[why](layer ?? '')}${way}`;
}
