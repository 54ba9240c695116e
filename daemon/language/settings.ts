/** The meaning of each setting of a plan, with its formula: for hovers, and the documentation of completions. */

import { WORDS } from '../lc/budgets/registry.js';
import { DISTILL } from '../lc/distillation.js';
import { SCHEDULE, TRAINING } from '../plan/defaults.js';
import { PATH } from '../plan/resolvePath.js';

/** `*` stands for one key or index. Longest match wins. */
const SETTINGS: Readonly<Record<string, string>> = {
  model:
    'The reference model: the trained network to prune. A path relative to this file, or an architecture that is trained first.',
  data: 'The data set whose loss `L(w)` is minimised: built in (`mnist`, `fashion-mnist`, `cifar10`), or a file or folder relative to this file.',
  budget:
    'What the result must fit.\n\n`min L(w)  subject to  C(theta) <= kappa,  w = theta`\n\nThe C step projects onto it: `theta = argmin ||v - theta||^2` with `v = w - lambda/mu`.',
  ...Object.fromEntries(Object.entries(WORDS).map(([kind, { help }]) => [`budget.${kind}`, help])),
  'budget.norm':
    'The cost C: `l0` counts the weights that are not zero (default), `l1` sums `|theta_i|`, `l2` sums `theta_i^2` (makes weights small, none zero).',
  'budget.form':
    '`constraint`: `C(theta) <= kappa`. `penalty`: `L(w) + alpha C(theta)`. Default: penalty when alpha is given.',
  'budget.prune':
    'What is removed: single weights (`weights`, default), or whole units (`neurons`): a neuron or filter with its incoming weights, bias and BatchNorm. A budget of weights, bytes or FLOPs then counts the network without the others, in which the weights that read them are gone too.',
  'budget.roundTo':
    'Whole units: the number of channels that stay of each layer is a multiple of this (`8` suits most processors), or all of them. Layers with fewer are kept whole. Default 1.',
  'budget.cost':
    'Penalty form with l0: what `alpha` counts: weights or neurons (`count`, default), or their FLOPs (`flops`): keep where `mu/2 v_i^2 > alpha f_i`.',
  'budget.scope':
    '`global` (default): one budget over all layers, which lets LC find how much each layer needs. `layer`: the same share for each layer by itself.',
  'budget.layers':
    'Floors and caps per layer under a global budget, as shares of that layer. The C step forces the floors, then fills greedily under the caps (exact).',
  'budget.layers.*': 'Floor and cap of this layer, as shares of its own weights.',
  'budget.layers.*.floor': 'Keep at least this share of the layer: `kept_l >= floor * n_l`.',
  'budget.layers.*.cap': 'Keep at most this share of the layer: `kept_l <= cap * n_l`.',
  'budget.quantize.codebook':
    'K learned values (exact, by dynamic programming over sorted v), or a fixed codebook: the weights with the largest gain `v^2 - min_k (v - c_k)^2` are kept.',
  tasks: 'Different budgets on different layers: each task is a set of layers and a budget over them.',
  'tasks.*.layers': 'Layer names or globs. `"*"` is every prunable layer that no other task names.',
  unfreeze:
    'Layers that the file has as not trainable and that are trained and pruned all the same: `true` for all of them, or a list of names and patterns. BatchNormalization among them then uses the statistics of the batch.',
  exclude: 'Layers never pruned. They still train in the L step.',
  method:
    '`lc` (default): Learning-Compression. `magnitude`: keep the largest weights, retrain. `gradual`: magnitude along the cubic schedule `s_t = s_f (1 - (1 - t/T)^3)`. Baselines get the same number of epochs.',
  path: 'What `lc-prune path` computes: the error at several budgets, large to small, each warm-started at the `(w, theta, lambda)` of the one before. `lc-prune run` takes the budget alone. With a goal (`maxErrorIncrease` or `maxError`) and without a budget, the run looks for the smallest network that meets it.',
  'path.budgets':
    'The budgets, in the unit of the plan\'s: `["10%", "5%"]`, `["40 kB", "20 kB"]`. Default: evenly spaced on a log scale (shares: 10% to 0.5%, or more where the plan keeps more than 10%).',
  'path.points': 'How many budgets, where they are not listed. Default ' + PATH.points,
  'path.maxErrorIncrease':
    'Looks for the smallest budget whose `error <= error(reference) + this`, in absolute points (`"0.5%"`), on the validation part where there is one, else on the training part: down the budgets, then by bisection.',
  'path.maxError': 'Looks for the smallest budget whose `error <= this` (`"3%"`: 97% right), in the same way.',
  'path.refinements': 'Budgets tried beyond the listed ones in that search. Default ' + PATH.refinements,
  'path.warmStart':
    'How far up the schedule every budget after the first begins: at `mu0 * a^(warmStart * J)`, so that it runs `(1 - warmStart) J` LC iterations. Default ' +
    PATH.warmStart,
  schedule: 'The penalty schedule of the LC loop: `mu_j = mu0 * a^j`, j = 0, 1, ...',
  'schedule.mu0':
    'mu of the first LC iteration: `mu_j = mu0 * a^j`. Small: w is free at first. Default ' + SCHEDULE.mu0,
  'schedule.a':
    'Growth of mu per LC iteration: `mu_j = mu0 * a^j`. Closer to 1 follows the path better and needs more iterations. Default ' +
    SCHEDULE.a +
    ' at ' +
    SCHEDULE.iterations +
    ' iterations; with others, so that mu grows as much.',
  'schedule.muEnd':
    'mu of the last of J LC iterations, instead of `a`: `a = (muEnd/mu0)^(1/(J-1))`. Fewer iterations then end at the same mu.',
  'schedule.iterations':
    'LC iterations at most; one is an L step (training) and a C step (projection). Default ' + SCHEDULE.iterations,
  'schedule.multipliers':
    '`AL` (default): augmented Lagrangian, `lambda <- lambda - mu (w - theta)`. `QP`: quadratic penalty, lambda = 0.',
  'schedule.epochs':
    'Epochs of SGD per L step on `L(w) + mu/2 ||w - theta - lambda/mu||^2`. Default ' + SCHEDULE.epochs,
  'schedule.firstEpochs': 'Epochs of the first L step. Default: as the others.',
  'schedule.tolerance':
    'Stop when `||w - theta|| / ||w||` is below this and the support is stable. Default ' + SCHEDULE.tolerance,
  'schedule.stableIterations':
    'LC iterations in a row for which at most a tenth of the kept weights may change before stopping. Default ' +
    SCHEDULE.stableIterations,
  training: 'SGD of the L step.',
  'training.batchSize': `Samples per step. Default ${TRAINING.batchSize}, or what fits fewer samples and the memory there is; the run's notes say which.`,
  'training.learningRate':
    "eta of the first step. Inside an L step it is clipped: `eta' = min(eta, 1/(4 mu))`. Without one, a short test at the start of the run takes the largest of 0.1, 0.03, ... that does the model no harm; `retrain` has half of training's.",
  'training.learningRateSchedule':
    '`exponential` (default): `eta * decay^j`. `constant`. `cosine`: `eta (1 + cos(pi t))/2`. `one-cycle`: up from 1/25 of eta for 30% of the phase, then down to almost 0. t is the share of the clock that `decayMode` names.',
  'training.decay':
    'Factor of the exponential schedule: `eta_j = eta * decay^j`, j counts LC iterations (mode `iteration`) or epochs (mode `epoch`).',
  'training.decayMode':
    'The clock of the schedule. `iteration`: constant within an L step, falls from one to the next. `epoch`: restarted every L step, falls inside.',
  'training.warmup':
    'Epochs for which the rate rises from a tenth to eta: at the beginning of the first L step, of the reference, of retraining. Default 0.',
  'training.momentum': 'm of `u <- m u - eta g`. Default ' + TRAINING.momentum,
  'training.nesterov': 'Nesterov momentum: `w <- w + m u - eta g`, with the new u. Default true.',
  'training.weightDecay': 'Adds `weightDecay * w` to the gradient of kernels. Default 0.',
  'training.clipNorm':
    "Gradient clipping: if the norm of the loss's gradient over all weights is larger, the gradient is scaled to it (PyTorch's `clip_grad_norm_`), before weight decay and the penalty. In retraining the weights at zero do not count. Default: none.",
  retrain:
    'Training of the survivors after LC with the support fixed: weights at zero stay zero, and so does their velocity.',
  reference: 'Training of the reference, where it is trained here.',
  distill:
    "Distillation: the L steps and retraining learn from the reference's answers beside the labels. `(1 - a) L(labels) + a T^2 KL(softmax(z_ref/T), softmax(z/T))`; losses other than the cross-entropies have the reference's outputs as their targets. Error and loss of evaluations stay those of the labels, unless `data.labels` is false. `{}` has the defaults.",
  'distill.weight': 'a, the share of the reference: 0 is training on the labels alone. Default ' + DISTILL.weight,
  'distill.temperature':
    'T: logits are divided by it, so that the small probabilities of the reference count. Only for the cross-entropies. Default ' +
    DISTILL.temperature,
  output:
    'The output layer to train on, for a model with several outputs: the run is judged by its error. Default: the last.',
  otherOutputs:
    "Outputs that share layers with the trained one. `train` (default): those that the file has a loss and the data targets for are trained along, the loss being the sum by the file's loss weights. `measure`: they are measured before and after.",
  engine:
    'What computes losses and gradients. `auto` (default) takes the fastest that works here; "Select Engine" shows why.',
  seed: 'Of everything random: shuffling, dropout, initial weights. The same seed on the same engine gives the same result, bit for bit.',
  runOn:
    'Where the run executes: `"local"` (default), `"slurm"`, or a runner with its settings. A job of a cluster follows the same plan with the same numbers; the run is followed, stopped and resumed from here.',
  'runOn.slurm':
    'A job of Slurm: partition, account, time, cpus, gpus, memory, setup lines, and any other option of sbatch.',
  'runOn.slurm.time':
    'Time limit of the job, as sbatch takes it. The run writes a checkpoint before it, is queued again and continues.',
  'runOn.slurm.setup':
    'Lines of the job script before the run, such as `module load nodejs`. The job fails at the first that does.',
  'runOn.slurm.options': 'Any other long option of sbatch: `{ "qos": "low", "exclusive": true }`.',
  'runOn.command':
    'A command line with `{cmd}` in it, such as `ssh box {cmd}`: the other machine sees this folder under the same path.',
  'data.source': 'A built-in data set, or a path relative to this file.',
  'data.labels':
    'Array, column or file of the labels. `false`: inputs alone are read, the reference is all of the target (`"distill": {}`), and the error of a network is the share of samples that the reference answers otherwise.',
  'data.validation': 'Part of the training set held out for evaluation: a share below 1, or a count.',
  'data.preprocess.scale':
    '`unit`: x/255. `symmetric`: x/127.5 - 1. `signed`: 2x - 1. `unsigned`: (x + 1)/2. `standard`: (x - mean)/deviation of the training part, per feature, or per channel with `mean: channel`. A number multiplies. `auto`: the lowest loss of the given model, or the range of the values where none is given.',
  'data.preprocess.mean': 'Subtract the training mean: per pixel (`image`) or per channel (`channel`).',
  'data.classes':
    'Which label is which output: a list of labels in the order of the outputs, or `stored` (the label is the class number), `from-one`, `value`, `text` (sorted), `appearance` (order in the file), `reversed` (two classes). `auto` (default): the lowest loss of the given model.',
  'data.classWeights':
    'Weights of the classes in the training loss: `balanced`, n / (K n_c), or an object from label to weight. The reported loss and error stay unweighted.',
};

const ALIASES: readonly (readonly [RegExp, string])[] = [
  [/^tasks\.[^.]+\.budget/, 'budget'],
  [/^(retrain|reference)\./, 'training.'],
];

/** @param path keys and indices from the root. @returns Markdown, or null if there is no entry. */
export function explainSetting(path: readonly (string | number)[]): string | null {
  const dotted = ALIASES.reduce((text, [from, to]) => text.replace(from, to), path.join('.'));
  if (Object.hasOwn(SETTINGS, dotted)) return SETTINGS[dotted]!;
  const parts = dotted.split('.');
  for (const [pattern, text] of Object.entries(SETTINGS)) {
    const expected = pattern.split('.');
    if (expected.length === parts.length && expected.every((part, i) => part === '*' || part === parts[i])) return text;
  }
  return null;
}
