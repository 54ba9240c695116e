/** Assembles what the loops need from a plan: model, data, engine, tasks. */
import { prepareEngines } from '../engine/registry.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import type { Assemble } from './assemble/assembled.js';
import { openData } from './assemble/data.js';
import { openPlanEngine } from './assemble/engine.js';
import { sampleFacts } from './assemble/facts.js';
import { weightsByName } from './assemble/flatWeights.js';
import { openModel } from './assemble/model.js';
import { createParts } from './assemble/parts.js';
import { decisionNotes } from './judge/evaluations.js';
import { measureOthers } from './judge/otherOutputs.js';
import { prunableWeights } from './kept.js';
import { startTiming } from './log/timing.js';
import { inputScalesOf } from './dataMapping.js';

export type { Assemble, Assembled, AssembleOptions, FlatWeights } from './assemble/assembled.js';

/** @throws UserError of every kind that reading the model, opening the data and choosing an engine can. */
export const assemble: Assemble = async (written, options) => {
  const { workspace, providers } = options;
  const timing = startTiming();
  const engines = { folders: [workspace], ...(providers && { providers }) };
  // Errors of the model are reported when the engine is opened.
  prepareEngines(written.engine, engines).catch(() => undefined);
  const { model, modelHash } = await openModel(written, workspace);
  timing.mark('model');
  const opened = await openData(written, model, workspace, timing);
  const { setup, joining, dataHash } = opened;
  const engine = await openPlanEngine(joining.plan, model, opened, engines, options, timing);
  const { plan, session, dataset } = engine;
  const {
    preprocess: { scale, mean },
    encoding: { order },
  } = dataset.mapping;
  const data = { ...plan.data, scale, mean, classes: typeof order === 'string' ? order : [...order] };
  const parts = await createParts(model, opened, engine);
  const { sets, layers } = parts;
  const budgets = [...(plan.path?.budgets ?? []), null];
  const budgetNotes = new Set(budgets.flatMap((budget) => parts.tasks(budget).notes));
  timing.mark('budget');
  const { parameters, info } = session;
  console.error(`ready after ${timing.text()}`);
  return {
    parts,
    plan: { ...plan, engine: info.id, modelHash, dataHash, data },
    model,
    inputShapes: session.inputShapes,
    inputScales: inputScalesOf(model, dataset),
    engine: info,
    weights: session.size,
    prunable: prunableWeights(layers),
    parameters: new Set(parameters.map(({ name }) => name)),
    doubts: engine.doubts,
    mapping: engine.mapping,
    output: setup.output,
    others: (result) =>
      measureOthers(joining.measured, {
        setup,
        plan: { ...plan, engine: info.id, data },
        workspace,
        engines,
        before: opened.sized,
        after: frontEndOf(result).withInputSizes(dataset.inputShapes),
        inputShapes: session.inputShapes,
        outputShape: session.outputShape,
        source: sets.test ?? sets.validation ?? sets.train,
      }),
    // The data set has the chosen scale by now, so its notes do not mention another.
    notes: [
      ...model.notes,
      ...setup.notes,
      ...dataset.notes,
      ...opened.notes,
      ...engine.notes,
      ...decisionNotes(plan, sets),
      ...budgetNotes,
    ],
    facts: sampleFacts(session, setup, dataset),
    ...weightsByName(model, parameters, engine.names),
  };
};
