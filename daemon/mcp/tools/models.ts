/** Tools that inspect model files, and find data for them. */
import * as z from 'zod';
import { bytes, count } from '../../protocol/format.js';
import { DataCandidate, DataSearch } from '../../protocol/dataChoice.js';
import { ModelLayer, ModelSummary } from '../../protocol/messages.js';
import { defineTool, filePath, READS, text } from '../tool.js';

export const inspectModel = defineTool({
  name: 'inspect_model',
  title: 'Inspect a model',
  description:
    'Layers, shapes, weights, prunable weights, bytes, FLOPs and zeros of a trained network (ONNX .onnx, Keras .keras or .h5, TensorFlow.js model.json). The file is read as data; nothing in it runs.',
  annotations: READS,
  input: z.strictObject({ model: filePath('The model file') }),
  output: z.object({
    text,
    ...ModelSummary.omit({ path: true, layers: true }).shape,
    model: z.string(),
    layers: z.array(ModelLayer),
  }),
  async run({ model }, root) {
    const path = await root.file(model);
    const { path: _, ...summary } = await root.ask('lc/inspect', { model: path });
    const { params, prunable, layers } = summary;
    return {
      text: `${root.shown(path)}: ${count(layers.length)} layers, ${count(params)} weights, of which ${count(prunable)} can be pruned; ${bytes(summary.bytes)}.`,
      ...summary,
      model: root.shown(path),
    };
  },
});

export const findData = defineTool({
  name: 'find_data',
  title: 'Find data for a model',
  description:
    'Files and image folders of the root folder, and built-in data sets, that fit a model; best first. "data" of a candidate is what create_plan and a plan beside the model take.',
  annotations: READS,
  input: z.strictObject({ model: filePath('The model file') }),
  output: z.object({
    text,
    candidates: z.array(DataCandidate),
    others: DataSearch.shape.others,
    stopped: DataSearch.shape.stopped,
  }),
  async run({ model }, root, { signal }) {
    const { candidates, others, stopped } = await root.ask('lc/searchData', { model: await root.file(model) }, signal);
    const [best] = candidates;
    return {
      text: best
        ? `${count(candidates.length)} fit; the likeliest is ${best.name}: ${best.about}.`
        : 'No data here fits the model.',
      candidates,
      others,
      stopped,
    };
  },
});
