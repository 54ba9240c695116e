/**
 * `npm run study:smallest [-- --quick]`: the smallest LeNet300 and LeNet5 that lose at most half a point, as
 * `lc-prune path PLAN --max-error-increase 0.5%` finds them, with the sizes in every format and the latency here. Long; an
 * interrupted search is resumed. Writes docs/smallest.md after every network.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createTerminal } from '../../../daemon/cli/terminal.js';
import { measureExport } from '../../../daemon/cli/exportView.js';
import { count, percent } from '../../../daemon/cli/text.js';
import { fileFormatOf } from '../../../daemon/export/sparse/packageFormat.js';
import { within } from '../../../daemon/lc/path.js';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { withPath } from '../../../daemon/plan/resolvePath.js';
import { resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import type { PathPoint } from '../../../daemon/protocol/events.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { readEvents } from '../../../daemon/runs/list/registry.js';
import { readReference, readRunModel } from '../../../daemon/runs/runModels.js';
import { openStudy } from '../study/study.js';

const INCREASE = '0.5%';
const quick = process.argv.includes('--quick');
const workspace = resolve('artifacts', quick ? 'smallest-quick' : 'smallest');
const folder = quick ? workspace : resolve('docs');
const epochs = (n: number) => (quick ? Math.max(1, Math.round(n / 10)) : n);

type Net = 'lenet300' | 'lenet5';
const NAMES: Readonly<Record<Net, string>> = { lenet300: 'LeNet300', lenet5: 'LeNet5' };
/** Each trains its own reference without the validation part, which decides; LeNet5 costs ten times as much an epoch. */
const settings: Readonly<Record<Net, Partial<Plan>>> = {
  lenet300: {
    schedule: { tolerance: 1e-3, iterations: 40, epochs: epochs(2) },
    retrain: { epochs: epochs(10) },
    reference: { epochs: epochs(30) },
  },
  lenet5: {
    schedule: { tolerance: 1e-3, iterations: 20, epochs: 1, mu0: 3e-4, a: 1.25 },
    training: { learningRate: 0.05 },
    retrain: { epochs: epochs(6), learningRate: 0.02 },
    reference: { epochs: epochs(20), learningRate: 0.05, decay: 0.85, weightDecay: 5e-4 },
    path: { points: 6 },
  },
};

const planOf = (net: Net): Plan => ({
  model: { architecture: net },
  data: { source: 'mnist', validation: 0.1, ...(quick && { limit: 5000 }) },
  budget: { keep: '1%' },
  ...settings[net],
});

function resolved(net: Net): ResolvedPlan {
  const model = buildArchitecture(net, 0);
  const plan = planOf(net);
  const context = { name: net, planPath: null, modelPath: null, dataPath: (path: string) => path };
  const found = resolvePlan(plan, { ...context, layers: summarizeModel(model), format: fileFormatOf(model) });
  return withPath(found, { ...plan.path, maxErrorIncrease: INCREASE }, net);
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const error = (fraction: number | null): string => (fraction === null ? '-' : (100 * fraction).toFixed(2));
const microseconds = (value: number): string => value.toPrecision(3);

async function sectionOf(net: Net): Promise<string> {
  const terminal = createTerminal(false);
  const done = await study.run(net, resolved(net));
  const { events } = await readEvents(done.folder, 0, Number.MAX_SAFE_INTEGER, 2);
  const points = events.filter((event): event is PathPoint & { event: 'point'; time: number } & typeof event => event.event === 'point'); // prettier-ignore
  const answer = done.path!;
  const chosen = points.find(({ point }) => point === answer.point)!;
  const model = await readRunModel(done.folder);
  const { sizes, thinned, latency } = await measureExport(model, await readReference(done.folder, workspace), terminal);
  const tried = points.map((one) => [
    `${count(one.kept)} (${percent(one.kept / one.prunable, 2)})`,
    error(one.decision),
    error(one.retrained.error),
    one.point === answer.point ? '**the answer**' : within({ error: one.decision }, answer.reference! + answer.maxErrorIncrease!) ? 'good' : 'too bad', // prettier-ignore
  ]);
  const bytes = sizes.formats.map((size) => [size.format, ...[size.bytes, size.gzip, size.brotli].map(count), `${size.ratio.toPrecision(3)}x`]); // prettier-ignore
  const rows = latency.rows.map((row) => [row.what, String(row.batch), microseconds(row.microseconds), row.speedup === null ? '-' : `${row.speedup.toPrecision(3)}x`]); // prettier-ignore
  const inputs = thinned.inputs.map(({ read }) => `${read.reduce((sum, one) => sum + one, 0)} of ${read.length} inputs`); // prettier-ignore
  const units = thinned.layers.map(({ layer, kept, units: of }) => `${kept} of ${of} of ${layer}`);
  return `## ${NAMES[net]}

\`\`\`json
${JSON.stringify(planOf(net))}
\`\`\`

The reference has ${error(answer.reference)} on the validation part and ${error(done.reference.error)} on the test part. The smallest network keeps **${count(chosen.kept)} of
${count(chosen.prunable)} weights** (${percent(chosen.kept / chosen.prunable, 2)}): ${error(chosen.decision)} on the validation part, **${error(chosen.retrained.error)} on the test part**. ${answer.met ? '' : 'None was within the bound: this is the best one. '}Thinned, ${[...inputs, ...units].join(', ')}
and ${percent(thinned.flops.after / thinned.flops.before, 1)} of the FLOPs survive.

${table(['Kept', 'Validation', 'Test', ''], tried)}

Bytes; "smaller" is beside ${count(sizes.reference)} bytes of dense float32 weights:

${table(['Format', 'Bytes', 'gzip', 'brotli', 'Smaller'], bytes)}

Microseconds a call (${latency.machine}; onnxruntime, but for the module):

${table(['Network', 'Batch', 'Microseconds', 'Faster'], rows)}
`;
}

await mkdir(workspace, { recursive: true });
await mkdir(folder, { recursive: true });
const study = await openStudy(workspace);
const sections: string[] = [];
for (const net of Object.keys(settings) as Net[]) {
  sections.push(await sectionOf(net));
  await writeFileAtomic(
    resolve(folder, 'smallest.md'),
    `# The smallest network that loses at most half a point

Written by \`npm run study:smallest\`. MNIST, errors in %, one seed. The command is \`lc-prune path PLAN --max-error-increase ${INCREASE}\`: it goes down the budgets, each
warm-started at the one before, and then bisects between the last good one and the first bad one. A tenth of the training images, which trained nothing, decides what
is good; the test part is only reported. An error of 2% of 6,000 images has a standard deviation of 0.18 points.

${sections.join('\n')}`,
  );
}
