/** Chooses how samples are read, the input scale and the class of each label, by the loss of a reference model. */
import { listText } from './dataError.js';
import type { Dataset, Part } from './dataset.js';
import type { LabelEncoding } from './labelEncodings.js';
import { describePreprocess, type Preprocess } from './preprocess.js';
import { sizeOf } from './sampleStore.js';
import { scaleCandidates } from './scaleCandidates.js';

/** A trained model, asked for its losses. */
export interface Reference {
  /** The loss of an answer that favours no class; Infinity where there is no such. */
  readonly chance: number;
  /** The samples it is judged on: the same ones of every reading. */
  samples(dataset: Dataset): { readonly split: Part; readonly indices: Uint32Array };
  /** Its loss on each of `count` samples, for each of several targets of theirs. */
  losses(
    inputs: readonly Float32Array[],
    count: number,
    targets: readonly Float32Array[],
  ): Promise<readonly (readonly number[])[]>;
}

interface EncodingFigure {
  readonly encoding: LabelEncoding;
  readonly loss: number;
}

export interface ReadingChoice {
  readonly dataset: Dataset;
  /** Every candidate scale with the reference's loss, best first; a loss that is not finite ranks last. */
  readonly scales: readonly { readonly preprocess: Preprocess; readonly loss: number }[];
  /** Every candidate encoding at the chosen scale, the same way. */
  readonly encodings: readonly EncodingFigure[];
  /** One sentence each with the figures, for the user; none where nothing was open. */
  readonly notes: readonly string[];
}

/** A loss above this share of that of chance tells nothing: inputs scaled down to nothing come close to it. */
const KNOWING = 0.99;
/** Another encoding than the usual one must be better by this many standard errors of the difference. */
const CLEARLY = 3;
/** An order that no candidate has is looked for among at most this many classes. */
const MAX_CLASSES = 64;

/**
 * The reading under which the reference has the lowest loss, if that is better than chance; else the usual one. Loss, not accuracy: raw and x/255 inputs are within a point of
 * accuracy on most digit models. Of encodings, the usual one stays unless another is clearly better, and better than chance.
 * @param open what the plan leaves open; where `scale` is not, the dataset's own is kept.
 */
export async function chooseReading(
  dataset: Dataset,
  open: { readonly scale: boolean },
  reference: Reference,
): Promise<ReadingChoice> {
  const { encodings, reading } = dataset;
  const tried: { preprocess: Preprocess; loss: number; figures: EncodingFigure[]; best: LabelEncoding }[] = [];
  const images = dataset.inputShapes.some((shape) => shape.length > 1);
  const candidates =
    open.scale && dataset.range
      ? scaleCandidates(reading.preprocess.mean, dataset.range, images)
      : [reading.preprocess];
  for (const preprocess of candidates) {
    const samples = await lossesOf(reference, await dataset.readAs({ preprocess }), encodings);
    const best = clearlyBest(samples, reference.chance);
    const figures = encodings.map((encoding, i) => ({ encoding, loss: mean(samples[i]!) }));
    tried.push({ preprocess, loss: figures[best]!.loss, figures: figures.sort(byLoss), best: encodings[best]! });
  }
  // sort is stable: of equal losses the more common preprocessing wins.
  tried.sort(byLoss);
  const usual = tried.find(({ preprocess }) => samePreprocess(preprocess, reading.preprocess));
  const knows = rank(tried[0]!.loss) < KNOWING * reference.chance;
  const { preprocess, best, figures } = (knows ? null : usual) ?? tried[0]!;
  const chosen = await dataset.readAs({ preprocess, encoding: best });
  const notes: string[] = [];
  if (tried.length > 1) {
    const text = tried.map((one) => `${describePreprocess(one.preprocess)}: ${shown(one.loss)}`).join('; ');
    const words = describePreprocess(preprocess);
    notes.push(
      knows
        ? `Input scale chosen by the reference's loss: ${words} (${text}).`
        : `Input scale: ${words}, the usual one, as the reference is no better than chance (${shown(reference.chance)}) under any (${text}).`,
    );
  }
  if (encodings.length > 1) notes.push(encodingNote(best, figures, knows));
  notes.push(...(await otherOrder(chosen, figures, reference)));
  return { dataset: chosen, scales: tried, encodings: figures, notes };
}

const samePreprocess = (a: Preprocess, b: Preprocess): boolean => a.scale === b.scale && a.mean === b.mean;
const shown = (loss: number): string => loss.toPrecision(3);
const rank = (loss: number): number => (Number.isFinite(loss) ? loss : Infinity);
const byLoss = (a: { loss: number }, b: { loss: number }): number =>
  rank(a.loss) === rank(b.loss) ? 0 : rank(a.loss) - rank(b.loss);
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * Position of the lowest mean; 0 where it is not below the first by three standard errors of the paired difference, or no
 * better than chance: a model that knows nothing of the data has nothing to say about it.
 */
function clearlyBest(samples: readonly (readonly number[])[], chance: number): number {
  const means = samples.map((values) => rank(mean(values)));
  const best = means.indexOf(Math.min(...means));
  if (best === 0 || means[best]! >= KNOWING * chance) return 0;
  if (means[0] === Infinity) return best;
  const gaps = samples[0]!.map((loss, i) => loss - samples[best]![i]!);
  const gap = mean(gaps);
  const variance = mean(gaps.map((one) => (one - gap) ** 2));
  return gap > CLEARLY * Math.sqrt(variance / gaps.length) ? best : 0;
}

function encodingNote(best: LabelEncoding, figures: readonly EncodingFigure[], knows: boolean): string {
  const text = figures.map(({ encoding, loss }) => `${encoding.text}: ${shown(loss)}`).join('; ');
  if (!knows)
    return `Labels: ${best.text}, the usual way, as the reference is no better than chance with any (${text}).`;
  const kept = figures[0]!.encoding === best ? '' : '; no other is clearly better';
  return `Labels read by the reference's loss: ${best.text} (${text})${kept}; "data.classes" in the plan overrides it.`;
}

/** At most this many input values are predicted at once. */
const CHUNK_VALUES = 1 << 24;
const CHUNK_SAMPLES = 512;

/** The loss of every sample, for each encoding. */
async function lossesOf(
  reference: Reference,
  dataset: Dataset,
  encodings: readonly LabelEncoding[],
): Promise<readonly (readonly number[])[]> {
  const { split, indices } = reference.samples(dataset);
  const widths = dataset.inputShapes.map(sizeOf);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const chunk = Math.max(1, Math.min(indices.length, CHUNK_SAMPLES, Math.floor(CHUNK_VALUES / total)));
  const inputs = widths.map((width) => new Float32Array(chunk * width));
  const targets = encodings.map(() => new Float32Array(chunk * sizeOf(dataset.targetShape)));
  const others = await Promise.all(
    encodings.map(async (encoding) => reference.samples(await dataset.readAs({ encoding })).split),
  );
  const found: number[][] = encodings.map(() => []);
  for (let start = 0; start < indices.length; start += chunk) {
    const count = Math.min(chunk, indices.length - start);
    await split.gather(indices, start, count, inputs, targets[0]!);
    for (const [i, other] of others.entries()) await other.gatherTargets(indices, start, count, targets[i]!);
    (await reference.losses(inputs, count, targets)).forEach((losses, i) => found[i]!.push(...losses));
  }
  return found;
}

/**
 * Where no candidate is better than chance, yet the reference answers every label with a class of its own: that order, for
 * the user to judge.
 */
async function otherOrder(
  dataset: Dataset,
  figures: readonly EncodingFigure[],
  reference: Reference,
): Promise<readonly string[]> {
  const { classes, classOf } = dataset.reading.encoding;
  const { loss } = figures[0]!;
  const depth = sizeOf(dataset.targetShape);
  if (!classes || classes.length > MAX_CLASSES || (depth !== 1 && depth !== classes.length)) return [];
  if (loss < reference.chance || reference.chance === Infinity) return [];
  const constant = (at: number): LabelEncoding => ({
    order: [],
    text: '',
    classOf: new Map([...classOf.keys()].map((label) => [label, at])),
    note: null,
  });
  const cost = await lossesOf(
    reference,
    dataset,
    classes.map((_, at) => constant(at)),
  );
  const { split, indices } = reference.samples(dataset);
  const target = new Float32Array(indices.length * depth);
  await split.gatherTargets(indices, 0, indices.length, target);
  // sums[c][k]: the total loss of the samples of class c, if their class were k.
  const sums = classes.map(() => new Array<number>(classes.length).fill(0));
  const counts = new Array<number>(classes.length).fill(0);
  for (let i = 0; i < indices.length; i++) {
    const own = depth === 1 ? Math.round(target[i]!) : target.indexOf(1, i * depth) - i * depth;
    counts[own]! += 1;
    cost.forEach((ofClass, at) => (sums[own]![at]! += ofClass[i]!));
  }
  const answer = sums.map((ofClass) => ofClass.indexOf(Math.min(...ofClass)));
  if (counts.includes(0) || new Set(answer).size < classes.length) return [];
  const better = answer.reduce((sum, at, own) => sum + sums[own]![at]!, 0) / indices.length;
  if (better > loss / 2) return [];
  const names = classes.map((_, at) => classes[answer.indexOf(at)]!);
  return [
    `No usual order of the labels fits the reference (loss ${shown(loss)}), which answers as if its classes were ${listText(names, MAX_CLASSES)} (loss ${shown(better)}): if that is right, write it as "data.classes".`,
  ];
}
