/** Chooses the input scale and the label mapping of the data by the answers of a reference model. */
import { bestMapping, meanError, type Candidate, type Evidence } from './compareMappings.js';
import { columnMeans, rowsOfSample, type RowMask } from './countedRows.js';
import { listText } from '../dataError.js';
import type { Dataset, Part } from '../dataset.js';
import type { LabelEncoding } from '../labels/labelEncodings.js';
import { describePreprocess, type Preprocess } from './preprocess.js';
import { constantFigures, mappingFigures, type AnswerForm } from './mappingFigures.js';
import { samplesAtOnce } from '../batches/samplesAtOnce.js';
import { scaleCandidates } from './scaleCandidates.js';
import { figure, percent } from '../../protocol/format.js';
import { sizeOf } from '../../protocol/shape.js';

/** A trained model that predicts. */
export interface Reference {
  /** The loss of an answer that favours no class; Infinity if there is none. */
  readonly chance: number;
  readonly form: AnswerForm;
  /** The samples that decide: the same ones for every mapping. */
  samples(dataset: Dataset): { readonly split: Part; readonly indices: Uint32Array };
  /** Its outputs for `count` samples. */
  predict(inputs: readonly Float32Array[], count: number): Promise<Float32Array>;
  /** Rows of those outputs that count: 1 or 0 each; null if all do. */
  outputMask(inputs: readonly Float32Array[], count: number): Promise<RowMask>;
  /**
   * The loss of outputs on each of `count` samples, for each of several targets: the sum over the rows that count, divided by all rows of a sample.
   */
  losses(
    output: Float32Array,
    count: number,
    targets: readonly Float32Array[],
    mask?: RowMask,
  ): readonly (readonly number[])[];
}

interface EncodingFigure {
  readonly encoding: LabelEncoding;
  readonly loss: number;
}

export interface MappingChoice {
  readonly dataset: Dataset;
  /** Every candidate scale with the reference's error, simplest first. */
  readonly scales: readonly { readonly preprocess: Preprocess; readonly error: number }[];
  /** Every candidate encoding at the chosen scale with the reference's loss (of a regression: 1 - R^2), best first; one that is not finite ranks last. */
  readonly encodings: readonly EncodingFigure[];
  /** Whether the chosen mapping differs from the default. */
  readonly unusual: boolean;
  /** One sentence each with the figures, for the user; none if there was no choice. */
  readonly notes: readonly string[];
}

/** A loss above this share of that of chance is not evidence: inputs scaled down to nothing come close to it. */
const KNOWING = 0.99;
/** Another label mapping than the default must be better by this many standard errors of the difference. */
const CLEARLY = 3;
/** An order beyond the candidates is searched for among at most this many classes. */
const MAX_CLASSES = 64;

/**
 * The simplest mapping that no other is clearly better than. Input scales are compared as in compareMappings.ts: by errors first, never by the
 * reference's confidence, which larger inputs raise. The default label mapping stays unless another has a clearly lower loss (of a regression: 1 -
 * R^2), and a lower one than chance.
 * @param open what the plan leaves open; if `scale` is not, the dataset's own is kept.
 */
export async function chooseMapping(
  dataset: Dataset,
  open: { readonly scale: boolean },
  reference: Reference,
): Promise<MappingChoice> {
  const { encodings, mapping } = dataset;
  // 0 and 1 are closer together than -1 and 1, so a loss would favour them. The unexplained variance does not.
  const ofNumbers = encodings[0]!.classes === undefined && reference.form.kind === 'numbers';
  let chance = ofNumbers ? 1 : reference.chance;
  const images = dataset.inputShapes.some((shape) => shape.length > 1);
  const candidates =
    open.scale && dataset.range
      ? scaleCandidates(mapping.preprocess.mean, dataset.range, images)
      : [mapping.preprocess];
  const tried: (Candidate & { preprocess: Preprocess; figures: EncodingFigure[]; best: number })[] = [];
  for (const preprocess of candidates) {
    const { output, targets, losses, count, mask } = await answersOf(
      reference,
      await dataset.withMapping({ preprocess }),
      encodings,
    );
    const figuresOf = (target: Float32Array) => mappingFigures(output, target, count, reference.form, mask);
    if (!ofNumbers && encodings.length > 1)
      chance = Math.min(chance, constantLoss(reference, targets[0]!, count, mask));
    const judged = ofNumbers ? targets.map((target) => [...figuresOf(target).errors]) : losses;
    const best = clearlyBest(judged, chance);
    const figures = encodings.map((encoding, i) => ({ encoding, loss: mean(judged[i]!) }));
    const constant = constantFigures(targets[best]!, count, reference.form, mask);
    tried.push({ preprocess, figures, best, answers: figuresOf(targets[best]!), constant });
  }
  const { best: at, knows, by } = bestMapping(tried, reference.chance);
  const { preprocess, figures, best } = tried[at]!;
  const encoding = encodings[best]!;
  const chosen = await dataset.withMapping({ preprocess, encoding });
  const scales = tried.map((one) => ({ preprocess: one.preprocess, error: meanError(one.answers) }));
  const notes: string[] = [];
  if (tried.length > 1) notes.push(scaleNote(scales, at, knows, by));
  const sorted = [...figures].sort(byLoss);
  const knowsClasses = rank(figures[best]!.loss) < KNOWING * chance;
  if (encodings.length > 1) notes.push(encodingNote(encoding, sorted, knowsClasses, ofNumbers));
  notes.push(...(await otherOrder(chosen, sorted, reference)));
  return { dataset: chosen, scales, encodings: sorted, unusual: at > 0 || best > 0, notes };
}

function scaleNote(scales: MappingChoice['scales'], at: number, knows: boolean, by: Evidence | null): string {
  const listed = [...scales].sort((a, b) => rank(a.error) - rank(b.error));
  const text = listed.map((one) => `${describePreprocess(one.preprocess)}: ${errorText(one.error)}`).join('; ');
  const words = describePreprocess(scales[at]!.preprocess);
  if (!knows) return `Input scale: ${words}, the usual one, as the reference is not clearly better than always the same answer under any (errors: ${text}).`; // prettier-ignore
  const evidence =
    by === 'errors' ? `errors: ${words} (${text})` : `loss, whatever its confidence: ${words} (errors: ${text})`;
  if (at > 0) return `Input scale chosen by the reference's ${evidence}; "data.preprocess" in the plan overrides it.`;
  return `Input scale: ${words}, the usual one, as the reference is not clearly better under another (errors: ${text}).`;
}

const errorText = (error: number): string => (Number.isFinite(error) ? percent(error) : 'not finite');
const rank = (loss: number): number => (Number.isFinite(loss) ? loss : Infinity);
const byLoss = (a: { loss: number }, b: { loss: number }): number =>
  rank(a.loss) === rank(b.loss) ? 0 : rank(a.loss) - rank(b.loss);
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * Position of the lowest mean; 0 unless it is below the first by three standard errors of the paired difference, and better than chance: a model that
 * has not learnt the data cannot decide.
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

function encodingNote(
  best: LabelEncoding,
  figures: readonly EncodingFigure[],
  knows: boolean,
  ofNumbers: boolean,
): string {
  const score = ofNumbers ? percent : (loss: number) => figure(loss);
  const text = figures.map(({ encoding, loss }) => `${encoding.text}: ${score(loss)}`).join('; ');
  const what = ofNumbers ? 'Targets' : 'Labels';
  if (!knows)
    return `${what}: ${best.text}, the usual way, as the reference is no better than chance with any (${text}).`;
  const kept = figures[0]!.encoding === best ? '' : '; no other is clearly better';
  return `${what} read by the reference's ${ofNumbers ? 'error' : 'loss'}: ${best.text} (${text})${kept}; "data.classes" in the plan overrides it.`;
}

/**
 * The loss of the best constant answer. Without this comparison, a network that favours a class by chance would choose the mapping in which most
 * samples have that class. It is the same for every mapping.
 */
function constantLoss({ form, losses }: Reference, target: Float32Array, count: number, mask: RowMask): number {
  const { width, scale, kind } = form;
  const answer = Float32Array.from(columnMeans(target, width, width, mask), (p) => {
    if (scale !== 'logits') return p;
    return Math.log(Math.max(p, 1e-12)) - (kind === 'yes-no' ? Math.log(Math.max(1 - p, 1e-12)) : 0);
  });
  const rows = target.length / width;
  const constant = target.map((_, i) => answer[i % width]!);
  return (mean(losses(constant, count, [target], mask)[0]!) * rows) / (rowsOfSample(mask, rows, count) * count);
}

const CHUNK_SAMPLES = 512;

interface Answers {
  readonly count: number;
  /** Of all samples, one after another; so are the targets, for each mapping. */
  readonly output: Float32Array;
  readonly targets: readonly Float32Array[];
  /** Of all rows of all samples. */
  readonly mask: RowMask;
  /** The loss of every sample, for each mapping: their mean is that over the rows that count. */
  readonly losses: readonly (readonly number[])[];
}

async function answersOf(
  reference: Reference,
  dataset: Dataset,
  encodings: readonly LabelEncoding[],
): Promise<Answers> {
  const { split, indices } = reference.samples(dataset);
  const widths = dataset.inputShapes.map(sizeOf);
  const depth = sizeOf(dataset.targetShape);
  const chunk = samplesAtOnce(dataset.inputShapes, Math.min(indices.length, CHUNK_SAMPLES));
  const inputs = widths.map((width) => new Float32Array(chunk * width));
  const others = await Promise.all(
    encodings.map(async (encoding) => reference.samples(await dataset.withMapping({ encoding })).split),
  );
  const output = new Float32Array(indices.length * depth);
  const targets = encodings.map(() => new Float32Array(indices.length * depth));
  const losses: number[][] = encodings.map(() => []);
  const rows = depth / reference.form.width;
  let mask: Float32Array | null = null;
  for (let start = 0; start < indices.length; start += chunk) {
    const count = Math.min(chunk, indices.length - start);
    const own = targets.map((target) => target.subarray(start * depth, (start + count) * depth));
    await split.gather(indices, start, count, inputs, own[0]!);
    for (const [i, other] of others.entries()) await other.gatherTargets(indices, start, count, own[i]!);
    const answer = await reference.predict(inputs, count);
    output.set(answer.subarray(0, count * depth), start * depth);
    const counted = await reference.outputMask(inputs, count);
    if (counted) (mask ??= new Float32Array(indices.length * rows)).set(counted, start * rows);
    reference.losses(answer, count, own, counted).forEach((ofEncoding, i) => losses[i]!.push(...ofEncoding));
  }
  const share = rowsOfSample(mask, indices.length * rows, indices.length) / rows;
  const ofRows = mask ? losses.map((ofEncoding) => ofEncoding.map((loss) => loss / share)) : losses;
  return { count: indices.length, output, targets, mask, losses: ofRows };
}

/** If no candidate is better than chance, yet the reference answers every label with a class of its own: reports that order to the user. */
async function otherOrder(
  dataset: Dataset,
  figures: readonly EncodingFigure[],
  reference: Reference,
): Promise<readonly string[]> {
  const { classes, classOf } = dataset.mapping.encoding;
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
  const { losses: cost } = await answersOf(
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
    `No usual order of the labels fits the reference (loss ${figure(loss)}), which answers as if its classes were ${listText(names, MAX_CLASSES)} (loss ${figure(better)}): if that is right, write it as "data.classes".`,
  ];
}
