/** The models of a run for those who may not reach into the trainer's room. */
export { readReference, readRunModel } from '../trainer/runModels.js';
