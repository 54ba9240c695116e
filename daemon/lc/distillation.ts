/** Defaults of distillation, for a plan that has it. (Hinton, Vinyals & Dean 2015) */
export const DISTILL = {
  /** Share of the reference in the training loss. */
  weight: 0.5,
  /** Of the cross-entropies. */
  temperature: 2,
};
