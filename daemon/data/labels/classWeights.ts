import type { ResolvedData } from '../../protocol/resolvedPlan.js';
import { significant } from '../../protocol/format.js';
import { invalidData, listText } from '../dataError.js';

export interface ClassWeights {
  /** One for each class, in the order of the model's outputs. */
  readonly weights: readonly number[];
  /** One sentence for the user. */
  readonly note: string;
}

/**
 * Weights of the classes in the training loss. "balanced": n / (K n_c) with n_c of the n training samples in class c, K the number of classes that
 * have any (scikit-learn's rule: the mean weight over the samples is 1); a class without samples has weight 1. With an object from label to weight,
 * labels that it does not name have weight 1.
 * @param classes names of the model's classes; undefined if its targets are not classes.
 * @param data counts of the training part by class; null if a sample has no single class.
 * @throws UserError('data-invalid') naming the unknown label and the existing ones.
 */
export function classWeights(
  wanted: ResolvedData['classWeights'],
  classes: readonly string[] | undefined,
  { counts, where }: { counts: readonly number[] | null; where: string },
): ClassWeights | null {
  if (wanted === null) return null;
  const field = 'classWeights';
  if (!classes || !counts)
    throw invalidData(where, '"classWeights" needs samples of one class each, and these are not; remove it', field);
  const weights = wanted === 'balanced' ? balanced(counts) : classes.map((name) => own(wanted, name) ?? 1);
  if (wanted !== 'balanced') {
    const unknown = Object.keys(wanted).filter((name) => !classes.includes(name));
    if (unknown.length > 0)
      throw invalidData(
        where,
        `"classWeights" names labels that the data does not have: ${listText(unknown)}; its labels are ${listText(classes)}`,
        field,
      );
    if (!weights.some((weight, i) => weight > 0 && counts[i]! > 0))
      throw invalidData(where, '"classWeights" leaves no sample with a weight above 0', field);
  }
  const shown = classes.slice(0, 8).map((name, i) => `${JSON.stringify(name)} ${significant(weights[i]!, 3)}`);
  const more = classes.length > shown.length ? ` and ${classes.length - shown.length} more` : '';
  return {
    weights,
    note: `Classes weigh in the training loss: ${shown.join(', ')}${more}. The reported loss and error are unweighted.`,
  };
}

function own(weights: Record<string, number>, name: string): number | undefined {
  return Object.hasOwn(weights, name) ? weights[name] : undefined;
}

function balanced(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, n) => sum + n, 0);
  const present = counts.filter((n) => n > 0).length;
  return counts.map((n) => (n > 0 ? total / (present * n) : 1));
}
