/** The models and the report of a run for those who may not reach into the trainer's room. */
export { writeReport } from '../trainer/log/report.js';
export { readReference, readRunModel, readRunScales } from '../trainer/runModels.js';
