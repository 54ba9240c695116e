/** How a new plan would read its data, and the time of a run on it, for the user to check before anything is written. */
import { dirname, join } from 'node:path';
import { describeData } from '../data/describeData.js';
import { describePreprocess } from '../data/mapping/preprocess.js';
import { inputsShown } from '../data/inputs/inputsShown.js';
import { previewSamples } from '../data/preview.js';
import { readModel } from '../model/files/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { dataAsWritten, newPlan } from '../plan/newPlan.js';
import { planPath, planText } from '../plan/planText.js';
import { resolveText } from '../plan/readPlan.js';
import type { DataPreview } from '../protocol/dataChoice.js';
import type { DataSource } from '../protocol/plan.js';
import { LIMITS } from './limits.js';
import { openPlanData } from './openPlanData.js';

const SAMPLES = 16;

/**
 * @param model absolute path, in the workspace. @param data as in a plan in `planFolder` (default: the model's); paths may be absolute, too.
 * @throws UserError of every kind that reading the model and the data can.
 */
export async function previewData(
  model: string,
  data: DataSource,
  { workspace, planFolder = dirname(model) }: { workspace: string; planFolder?: string | undefined },
): Promise<DataPreview> {
  const layers = summarizeModel(await readModel(model, { workspace }));
  const asWritten = await dataAsWritten(planFolder, data, workspace);
  const short = newPlan(layers, { model: planPath(planFolder, model), data: asWritten });
  const plan = await resolveText(planText(short), join(planFolder, 'new.prune.json'), { workspace });
  const opened = await openPlanData(plan, { workspace, sample: LIMITS.triedImages, timed: true });
  try {
    const { dataset, notes, times } = opened;
    const { fields, classes, mapping, encodings } = dataset;
    const shown = await previewSamples(dataset, SAMPLES, opened.inputNames);
    const named = fields && fields.kind !== 'folders' ? fields : null;
    return {
      data: asWritten,
      source: plan.data.source,
      about: describeData(dataset),
      notes: [...notes],
      fields: named && {
        kind: named.kind as 'columns' | 'arrays',
        names: [...named.names],
        inputs: named.inputs.map((group) => [...group]),
        labels: [...named.labels],
      },
      classes: classes ? [...classes] : null,
      scale: describePreprocess(mapping.preprocess),
      order: classes ? mapping.encoding.text : null,
      orders: (dataset.unlabelled ? [] : encodings).flatMap(({ order, text }) =>
        typeof order === 'string' ? [{ order, text }] : [],
      ),
      inputs: inputsShown(shown.inputs),
      answers: shown.samples.map(({ label }) => label.slice(0, 100)),
      times: [...times],
    };
  } finally {
    opened.close();
  }
}
