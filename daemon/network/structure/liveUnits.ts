import { type Absorber, absorberOf } from './absorb.js';
import type { Axis, Classes } from './classes.js';
import { known, type Known, splat, unknown } from './known.js';
import type { Life } from './rule.js';
import { ruleOf } from './rules/rules.js';
import type { Program, Step, Value } from './values.js';
import { dataOf } from './weightData.js';

/** @param weights values by name, in the network's layout. */
export function knownValues(
  program: Program,
  weights: ReadonlyMap<string, ArrayLike<number>>,
): (value: Value) => Known {
  const all: Known[] = program.values.map(({ shape }) => unknown(shape));
  for (const { id, node, shape } of program.values)
    if (node.op === 'Constant')
      all[id] = typeof node.constant === 'number' ? splat(shape, node.constant) : known(shape, node.constant!);
  for (const [name, { id, shape }] of program.weights) {
    const data = weights.get(name);
    if (data) all[id] = known(shape, data);
  }
  for (const step of program.steps) {
    const given = step.inputs.map(({ id }) => all[id]!);
    const data = step.output.fixed && given.every((one) => one.data) ? dataOf(step.node, given.map((one) => one.data!)) : null; // prettier-ignore
    all[step.output.id] = data
      ? known(step.output.shape, data)
      : (ruleOf(step.node.op).known?.(step, given) ?? unknown(step.output.shape));
  }
  return ({ id }) => all[id]!;
}

/** The classes that the outputs of a network need, given its weights. */
export class LiveUnits implements Life {
  readonly #live: Uint8Array;
  /** Classes that a step requires to be 0, other than by weights that read them. */
  readonly #zero: Uint8Array;
  readonly #kept: Uint8Array;
  readonly #absorbers = new Map<Step, Absorber | null>();
  #changed = false;

  /**
   * Marks what is needed, from the outputs backwards (mark and sweep: a loop of units that only read each other does not
   * keep itself alive).
   * @param roundTo axes of weights keep a multiple of this many indices, where they had as many; dead ones fill up.
   * @param stays axes whose indices all stay, whether anything needs them or not.
   */
  constructor(
    private readonly program: Program,
    private readonly classes: Classes,
    readonly known: (value: Value) => Known,
    roundTo = 1,
    stays: readonly Axis[] = [],
  ) {
    this.#live = new Uint8Array(classes.size);
    this.#zero = new Uint8Array(classes.size);
    for (const { value, axis } of [...classes.pins, ...stays])
      for (let i = 0; i < value.shape[axis]!; i++) this.#live[classes.of(value, axis, i)] = 1;
    do {
      this.#sweep();
      this.#kept = this.#fill(roundTo);
      // No unit reads a dead unit that stays: the weights that read it become 0. A step that needs it to be 0 still reads it.
      this.#changed = false;
      this.#kept.forEach((kept, tie) => {
        if (kept === 0 || this.#live[tie] === 1 || this.#zero[tie] === 0) return;
        this.#live[tie] = 1;
        this.#changed = true;
      });
    } while (this.#changed);
  }

  #sweep(): void {
    const steps = this.program.steps.toReversed();
    do {
      this.#changed = false;
      for (const step of steps) ruleOf(step.node.op).reads?.(step, this);
    } while (this.#changed);
  }

  live(value: Value, axis: number, index: number): boolean {
    return this.#live[this.classes.of(value, axis, index)] === 1;
  }

  /** Whether an index stays: live ones do, and dead ones that keep a tensor from being empty or fill up a multiple. */
  kept(value: Value, axis: number, index: number): boolean {
    return this.#kept[this.classes.of(value, axis, index)] === 1;
  }

  mark(value: Value, axis: number, index: number): void {
    const tie = this.classes.of(value, axis, index);
    if (this.#live[tie] === 1) return;
    this.#live[tie] = 1;
    this.#changed = true;
  }

  zero(value: Value, axis: number, index: number): void {
    this.#zero[this.classes.of(value, axis, index)] = 1;
  }

  absorbs(step: Step, constant: number): boolean {
    return constant === 0 || (!Number.isNaN(constant) && this.absorber(step) !== null);
  }

  absorber(step: Step): Absorber | null {
    let found = this.#absorbers.get(step);
    if (found === undefined) this.#absorbers.set(step, (found = absorberOf(this.program, step, this.known)));
    return found;
  }

  #fill(roundTo: number): Uint8Array {
    const { classes, program } = this;
    const kept = this.#live.slice();
    const fill = (value: Value, axis: number, goal: (count: number) => number): boolean => {
      const n = value.shape[axis]!;
      const count = () => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += kept[classes.of(value, axis, i)]!;
        return sum;
      };
      const before = count();
      let there = before;
      for (let i = 0; i < n && there < Math.min(n, goal(there)); i++)
        if (kept[classes.of(value, axis, i)] === 0) {
          kept[classes.of(value, axis, i)] = 1;
          there = count();
        }
      return there > before;
    };
    for (const value of program.values) value.shape.forEach((_, axis) => fill(value, axis, () => 1));
    const multiple = (count: number) => Math.ceil(count / roundTo) * roundTo;
    const weights = [...program.weights.values()];
    // The indices kept for one axis may exceed the multiple of another.
    for (let changed = roundTo > 1; changed;)
      changed = weights.map((value) => value.shape.map((_, axis) => fill(value, axis, multiple)).includes(true)).includes(true); // prettier-ignore
    return kept;
  }
}
