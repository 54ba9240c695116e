/** The error of a budget that contradicts itself or cannot be met. One line that names the key and, if there is one, the nearest valid value. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
  constructor(
    /** The budget's key: "weights", "layers.conv1.floor". */
    readonly key: string,
    problem: string,
    /** The nearest valid value of exactly that key, for a quick fix. */
    readonly nearest?: number | string | undefined,
  ) {
    super(`${key}: ${problem}`);
  }
}

/** For a budget per layer that fails in one layer: the error names it. */
export function inLayer<T>(layer: string, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    throw new BudgetError(error.key, `${error.message.slice(error.key.length + 2)} (layer "${layer}")`, error.nearest);
  }
}
