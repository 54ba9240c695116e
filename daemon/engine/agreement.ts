/**
 * Whether two engines compute the same function: compares loss, outputs and each parameter's gradient on one batch, up to rounding.
 * Two correct engines differ by rounding, which a network may amplify (batch normalisation of a few samples), and at points where rounding decides: a
 * rectifier's argument that is 0 but for rounding, or equal maxima in a pooling window, of which either may take the gradient. So a difference counts
 * only if it shows again with slightly moved weights, where such points lie elsewhere, and is larger than the effect of rounding on the reference
 * itself there.
 */
import { createRandom, type Random } from '../lc/random.js';
import type { EngineSession, EngineTraits, Parameter, Purpose } from './engine.js';
import { numbersOf, type Batch, type Numbers } from './trial.js';
import { planPercent } from '../protocol/format.js';

/** A session and the facts on its engine. */
export interface Subject {
  readonly traits: EngineTraits;
  readonly session: EngineSession;
}

export interface Verdict {
  /** 'unknown': the reference's own numbers are not finite, so they cannot be compared. */
  readonly outcome: 'agrees' | 'differs' | 'unknown';
  /** Half a sentence: "it differs from onnx-cpu on made-up data: the loss by 3%"; empty if it agrees. */
  readonly reason: string;
}

/**
 * A relative difference below this needs no second look. Sums of K products round by about sqrt(K) roundoffs in either order: 3e-5 for a million,
 * some times that through the layers of a deep network; float32 leaves a margin of ten. The factors of a reduced-precision product are off by 5e-4,
 * which sums average out and layers add up. A wrong kernel is off by far more.
 */
const tolerance = { float32: 2e-3, reduced: 3e-2 } as const;
/**
 * A parameter's gradient is measured relative to its own norm, but to no less than this share of the whole gradient's: a gradient that is 0 but for
 * rounding (a bias before a batch normalisation) has no norm of its own.
 */
const share = 1e-3;

/** A difference above the tolerance must show in each of these looks. */
const looks = 3;
/** Size of the move of weights, as a share of their tensor's root mean square. Kinks and ties move; the network's function hardly changes. */
const step = 2 ** -8;
/** Number of moves of the reference's own weights that measure the effect of rounding. */
const jitters = 2;
/**
 * Size of these moves, as a share of each weight: eight times float32's roundoff, 2^-24, because sums round at each step; and TF32's roundoff of a
 * factor, 2^-11, whose sums are float32.
 */
const jitter = { float32: 2 ** -21, reduced: 2 ** -11 } as const;
/** Rounding in each operation may have this much more effect than in the weights alone. */
const margin = 8;

/** One quantity compared; `relative` is its difference as a share of the reference's. */
interface Gap {
  readonly kind: 'loss' | 'inference loss' | 'outputs' | 'gradient';
  /** For a gradient: the parameter. */
  readonly name?: string;
  readonly relative: number;
}

const keyOf = ({ kind, name = '' }: Gap): string => `${kind} ${name}`;

const normOf = (values: Float32Array, from = 0, to = values.length): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
};

/** Losses near 0 are differences of numbers near 1, so they are compared absolutely. */
const lossGap = (own: number, reference: number): number =>
  Math.abs(own - reference) / Math.max(1, Math.abs(reference));

/** The largest difference in one output, relative to the largest output: a single wrong row is not averaged away. */
function outputGap(own: Float32Array, reference: Float32Array): number {
  if (own.length !== reference.length) return Infinity;
  let [gap, largest] = [0, 0];
  for (let i = 0; i < own.length; i++) {
    const difference = Math.abs(own[i]! - reference[i]!);
    if (!(difference <= gap)) gap = difference;
    largest = Math.max(largest, Math.abs(reference[i]!));
  }
  return gap / Math.max(largest, 1e-30);
}

function gradientGaps(
  own: Float32Array,
  ownParameters: readonly Parameter[],
  reference: Float32Array,
  parameters: readonly Parameter[],
): Gap[] {
  const places = new Map(ownParameters.map((parameter) => [parameter.name, parameter]));
  const same = ownParameters.length === parameters.length;
  const floor = share * normOf(reference);
  return parameters.map(({ name, offset, size }) => {
    const place = places.get(name);
    if (!same || place?.size !== size) return { kind: 'gradient', name, relative: Infinity };
    let gap = 0;
    for (let i = 0; i < size; i++) gap += (own[place.offset + i]! - reference[offset + i]!) ** 2;
    const scale = Math.max(normOf(reference, offset, offset + size), floor, 1e-30);
    return { kind: 'gradient', name, relative: Math.sqrt(gap) / scale };
  });
}

/** @param steps whether the training steps compute the same function: they drew the same masks, or none. */
function gapsOf(
  own: Numbers,
  reference: Numbers,
  [a, b]: readonly [EngineSession, EngineSession],
  steps: boolean,
): Gap[] {
  const gaps: Gap[] = [{ kind: 'outputs', relative: outputGap(own.output, reference.output) }];
  if (own.evaluated !== null && reference.evaluated !== null)
    gaps.push({ kind: 'inference loss', relative: lossGap(own.evaluated, reference.evaluated) });
  if (!steps || !own.step || !reference.step) return gaps;
  return [
    { kind: 'loss', relative: lossGap(own.step.loss, reference.step.loss) },
    ...gaps,
    ...gradientGaps(own.step.gradient, a.parameters, reference.step.gradient, b.parameters),
  ];
}

/** The first number that is not finite; null if all are. */
function odd(values: Float32Array, from = 0, to = values.length): number | null {
  for (let i = from; i < to; i++) if (!Number.isFinite(values[i]!)) return values[i]!;
  return null;
}

/** Which of the numbers is not finite, in words: "the loss is NaN"; null if all are finite. */
function notFinite({ step, output, evaluated }: Numbers, parameters: readonly Parameter[]): string | null {
  if (step && !Number.isFinite(step.loss)) return `the loss is ${step.loss}`;
  const value = odd(output);
  if (value !== null) return `the outputs contain ${value}`;
  if (evaluated !== null && !Number.isFinite(evaluated)) return `the inference loss is ${evaluated}`;
  for (const { name, offset, size } of step ? parameters : []) {
    const value = odd(step!.gradient, offset, offset + size);
    if (value !== null) return `the gradient of "${name}" contains ${value}`;
  }
  return null;
}

const percent = (relative: number): string => (Number.isFinite(relative) ? planPercent(relative, 2) : 'all of it');

/** 'the loss by 3%, the gradient of "dense/bias" by 50% (and of 2 more)': the worst of each kind. */
function inWords(gaps: readonly Gap[]): string {
  const worst = new Map<Gap['kind'], Gap>();
  for (const gap of gaps) if (!(gap.relative <= (worst.get(gap.kind)?.relative ?? -1))) worst.set(gap.kind, gap);
  const others = gaps.filter(({ kind }) => kind === 'gradient').length - 1;
  return [...worst.values()]
    .map(({ kind, name, relative }) => {
      if (kind === 'outputs') return `the outputs by ${percent(relative)} of the largest`;
      if (kind !== 'gradient') return `the ${kind} by ${percent(relative)}`;
      return `the gradient of "${name}" by ${percent(relative)}${others > 0 ? ` (and of ${others} more)` : ''}`;
    })
    .join(', ');
}

/** Weights moved at random: each by `size` of itself ('own'), or of the root mean square of its tensor. */
function moved(
  weights: Float32Array,
  parameters: readonly Parameter[],
  random: Random,
  size: number,
  by: 'own' | 'tensor',
): Float32Array {
  const result = weights.slice();
  for (const { offset, size: count } of parameters) {
    // Biases begin at 0, and must move away from it so that rectifiers do.
    const scale = Math.max(normOf(weights, offset, offset + count) / Math.sqrt(count), 0.01);
    for (let i = offset; i < offset + count; i++)
      result[i]! += size * random.normal() * (by === 'own' ? Math.abs(weights[i]!) : scale);
  }
  return result;
}

/** The flat vector of one session in the order of the other. Names and sizes have been checked. */
function reordered(weights: Float32Array, from: readonly Parameter[], to: readonly Parameter[]): Float32Array {
  const places = new Map(from.map(({ name, offset }) => [name, offset]));
  const result = new Float32Array(weights.length);
  for (const { name, offset, size } of to)
    result.set(weights.subarray(places.get(name)!, places.get(name)! + size), offset);
  return result;
}

/**
 * Compares an engine with the reference on a batch. Both sessions have the same weights; their weights and the states of their generators are
 * restored afterwards.
 * Training steps are compared if both engines draw the same masks or the model draws none; otherwise only outputs and the inference loss. For
 * inference, only outputs.
 * @param where the batch in words: "on made-up data".
 * @throws the error of either engine.
 */
export async function compare(
  own: Subject,
  reference: Subject,
  batch: Batch,
  purpose: Purpose,
  where: string,
): Promise<Verdict> {
  const sessions = [own.session, reference.session] as const;
  const [a, b] = sessions;
  const { id } = b.info;
  const sharesNoise = own.traits.noise === 'shared' && reference.traits.noise === 'shared';
  // The reference may have drawn more often: the same state gives the same masks.
  const stateOfReference = b.getRandomState();
  if (sharesNoise) b.setRandomState(a.getRandomState());
  try {
    let [found, expected] = [await numbersOf(a, batch, purpose), await numbersOf(b, batch, purpose)];
    const steps = sharesNoise || !(found.step?.drew || expected.step?.drew);
    if (!steps)
      [found, expected] = [await numbersOf(a, batch, purpose, true), await numbersOf(b, batch, purpose, true)];
    const [wrong, none] = [notFinite(found, a.parameters), notFinite(expected, b.parameters)];
    if (none) {
      const also = wrong ? `; on ${a.info.id}, ${wrong}` : '';
      return { outcome: 'unknown', reason: `nothing could be compared ${where}: on ${id}, ${none}${also}` };
    }
    if (wrong) return { outcome: 'differs', reason: `${where} ${wrong}, and ${id} has finite numbers` };
    const reduced = [own, reference].some(({ traits }) => traits.precision === 'reduced');
    const how: Look = { batch, purpose, steps, precision: reduced ? 'reduced' : 'float32' };
    const suspects = gapsOf(found, expected, sessions, steps).filter(
      ({ relative }) => !(relative <= tolerance[how.precision]),
    );
    const confirmed = suspects.length > 0 ? await seenAgain(suspects, sessions, how) : [];
    if (confirmed.length === 0) return { outcome: 'agrees', reason: '' };
    return { outcome: 'differs', reason: `it differs from ${id} ${where}: ${inWords(confirmed)}` };
  } finally {
    b.setRandomState(stateOfReference);
  }
}

interface Look {
  readonly batch: Batch;
  readonly purpose: Purpose;
  readonly steps: boolean;
  readonly precision: keyof typeof tolerance;
}

/** The differences that also show with slightly moved weights, and exceed the effect of rounding on the reference there. */
async function seenAgain(
  suspects: readonly Gap[],
  sessions: readonly [EngineSession, EngineSession],
  { batch, purpose, steps, precision }: Look,
): Promise<readonly Gap[]> {
  const [a, b] = sessions;
  // Another set of parameters needs no second look.
  if (suspects.some(({ relative }) => relative === Infinity)) return suspects;
  let left = suspects;
  const [ownWeights, weights] = [await a.getWeights(), await b.getWeights()];
  const random = createRandom(2);
  const numbers = (session: EngineSession) => numbersOf(session, batch, purpose, !steps);
  try {
    for (let look = 0; look < looks && left.length > 0; look++) {
      const near = moved(weights, b.parameters, random, step, 'tensor');
      await b.setWeights(near);
      await a.setWeights(reordered(near, b.parameters, a.parameters));
      const [found, expected] = [await numbers(a), await numbers(b)];
      const byRounding = new Map<string, number>();
      for (let i = 0; i < jitters; i++) {
        await b.setWeights(moved(near, b.parameters, random, jitter[precision], 'own'));
        for (const gap of gapsOf(await numbers(b), expected, [b, b], steps))
          byRounding.set(keyOf(gap), Math.max(byRounding.get(keyOf(gap)) ?? 0, gap.relative));
      }
      const now = new Map(gapsOf(found, expected, sessions, steps).map((gap) => [keyOf(gap), gap.relative]));
      left = left.filter((gap) => {
        const limit = Math.max(tolerance[precision], margin * (byRounding.get(keyOf(gap)) ?? 0));
        return !(now.get(keyOf(gap))! <= limit);
      });
    }
    return left;
  } finally {
    await a.setWeights(ownWeights);
    await b.setWeights(weights);
  }
}
