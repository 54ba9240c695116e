import { shortPercent } from '../protocol/format.js';

/** Defaults of distillation, for a plan that has it. (Hinton, Vinyals & Dean 2015) */
export const DISTILL = {
  /** Share of the reference in the training loss. */
  weight: 0.5,
  /** Of the cross-entropies. */
  temperature: 2,
};

/** What a network learns from, for reports and notes. @param temperature null: the loss has none. */
export const distillText = ({ weight, temperature }: { weight: number; temperature: number | null }): string =>
  `the reference is ${shortPercent(weight)} of the target${temperature === null || temperature === 1 ? '' : `, temperature ${temperature}`}`;
