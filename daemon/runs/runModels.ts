/** The models and the report of a run, for rooms that may not import the trainer's. */
export { writeReport } from '../trainer/log/report.js';
export { readReference, readRunModel, readRunScales } from '../trainer/runModels.js';
