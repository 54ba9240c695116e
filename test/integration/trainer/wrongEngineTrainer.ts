/** A trainer among whose engines one is wrong: the gradient of one small bias, on real data only. */
import { serveTrainer } from '../../../daemon/trainer/process/child.js';
import { assemble } from '../../../daemon/trainer/setup.js';
import { scaled, standIn } from '../../unit/engine/standIns.js';

const bias = scaled('fc1/bias', 1.5);
/** MNIST has black corners; made-up data does not. */
const isReal = ([images]: readonly Float32Array[]) => images![0] === images![1];
const device = process.env['LC_TEST_DEVICE'] ?? 'a processor';
const wrong = standIn({
  id: 'wrong',
  device,
  step: (step, session, inputs) => (isReal(inputs) ? bias(step, session, inputs) : step),
});
const reference = standIn({ id: 'onnx-cpu', reference: 'first', delay: 20 });

serveTrainer((plan, options) => assemble(plan, { ...options, providers: [wrong, reference] }));
