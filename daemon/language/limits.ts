/** Bounds of the language service in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** How long a CodeLens request waits for a model that is read for the first time. */
  lensTime: 120,
  /** Between a change that lenses show and the request to ask for them again. */
  refreshDelay: 300,
  /** Plans that are open, and characters of each: a plan is a small file. */
  openPlans: 200,
  planText: 1 << 20,
  /** Scripts and notebooks that are open, and characters of each. */
  openScripts: 500,
  scriptText: 1 << 20,
  /** An argument list longer than this is none that names a file. */
  callArguments: 10_000,
  /** Calls of a script that save a model. */
  savingCalls: 200,
  /** A model.json that is read for its lenses. */
  modelJson: 128 * 1024 * 1024,
  /** Weights above this are not read just to count zeros. */
  countedWeights: 256 * 1024 * 1024,
  /** Layers with a lens: more would slow the editor down and help nobody; "Inspect" has the rest. */
  layerLenses: 2000,
} as const;
