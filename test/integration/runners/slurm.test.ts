/** Runs in the queue of a Slurm that is made of shell scripts. Needs `npm run build`; `npm run test:cluster` does it with a real one. */
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { deleteRun, runSummary } from '../../../daemon/runs/list/registry.js';
import { listRuns } from '../../../daemon/runs/list/listRuns.js';
import { lastEvents } from '../../../daemon/runs/eventLog.js';
import { readJob } from '../../../daemon/runs/runners/jobs.js';
import { refreshJobs } from '../../../daemon/runs/runners/refresh.js';
import { secondsLeft } from '../../../daemon/runs/runners/slurm.js';
import { stopJob } from '../../../daemon/runs/runners/stopJob.js';
import { handOver, resubmitRun, submitRun } from '../../../daemon/runs/runners/submitRun.js';
import { createRunFolder } from '../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';
import { FakeSlurm } from './fakeSlurm.js';

const plan: ResolvedPlan = { ...PLAN, runOn: { slurm: {} } };
let workspace: string;
let slurm: FakeSlurm;
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'queue-')));
  slurm = await FakeSlurm.install();
  await slurm.answer('sbatch', '4711;cluster\n');
});
afterEach(async () => {
  await slurm.remove();
  await rm(workspace, { recursive: true, force: true });
});
const scriptOf = (folder: string) => readFile(join(folder, 'job.sh'), 'utf8');

describe('a run that is submitted', () => {
  it('has a job script with the settings of its plan', async () => {
    const settings = {
      partition: 'short',
      account: 'me',
      time: '2:00:00',
      cpus: 4,
      gpus: 'a100:1',
      memory: '8G',
      grace: 120,
      setup: ['module load nodejs/22'],
      options: { qos: 'low', nice: 100, exclusive: true as const },
    };
    const folder = await submitRun({ ...plan, runOn: { slurm: settings } }, { workspace });
    const script = await scriptOf(folder);
    const directives = script.split('\n').filter((line) => line.startsWith('#SBATCH'));
    expect(directives).toEqual([
      `#SBATCH --job-name="lc-prune-${plan.name}"`,
      `#SBATCH --output="${folder}/output.txt"`,
      '#SBATCH --open-mode="append"',
      '#SBATCH --requeue',
      '#SBATCH --signal="B:TERM@120"',
      '#SBATCH --partition="short"',
      '#SBATCH --account="me"',
      '#SBATCH --time="2:00:00"',
      '#SBATCH --cpus-per-task="4"',
      '#SBATCH --gpus="a100:1"',
      '#SBATCH --mem="8G"',
      '#SBATCH --qos="low"',
      '#SBATCH --nice="100"',
      '#SBATCH --exclusive',
    ]);
    expect(script.split('\n').indexOf('module load nodejs/22')).toBeGreaterThan(directives.length);
    expect(await slurm.calls('sbatch')).toEqual([`--parsable ${folder}/job.sh`]);
    expect(await readJob(folder)).toMatchObject({ on: 'slurm', id: '4711', state: 'pending' });
  });

  it('is one array with others', async () => {
    const folders = [];
    for (const second of [1, 2, 3]) folders.push(await createRunFolder(workspace, plan, second * 1000));
    const tasks = folders.map((folder) => ({ folder }));
    const ids = await handOver(tasks, { slurm: {} }, { workspace, folder: workspace, name: 'three', after: ['7'] });
    expect(ids).toEqual(['4711_0', '4711_1', '4711_2']);
    const script = await readFile(join(workspace, 'job.sh'), 'utf8');
    expect(script).toContain('#SBATCH --array="0-2"');
    expect(script).toContain('#SBATCH --dependency="afterany:7"');
    expect(await slurm.calls('sbatch')).toHaveLength(1);
    expect((await readJob(folders[2]!))!.output).toBe(join(workspace, 'output-2.txt'));
  });

  it('leaves nothing when it is refused, and the error says what is possible', async () => {
    await slurm.fail('sbatch', 'sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified\n'); // prettier-ignore
    await slurm.answer('sinfo', 'short\nlong\nshort\n');
    await expect(submitRun(plan, { workspace })).rejects.toThrow(
      'Slurm refused the job (invalid partition specified: nope; Batch job submission failed: Invalid partition name specified); the partitions here: short, long; change "runOn" in the plan',
    );
    expect(await listRuns(workspace)).toEqual([]);
    expect(await readdir(join(workspace, '.lcprune', 'jobs'))).toEqual([]);
  });
});

describe('a run in the queue', () => {
  it('shows its place, and is neither deleted nor submitted twice', async () => {
    const folder = await submitRun(plan, { workspace });
    await slurm.answer('squeue', '4711|PENDING|Priority||1:00:00\n4712|RUNNING|None|n1|5:00\n');
    await refreshJobs(workspace);
    expect(await runSummary(folder)).toMatchObject({ state: 'queued', ended: null, job: { id: '4711', reason: 'Priority' } }); // prettier-ignore
    await slurm.answer('squeue', '4711|RUNNING|None|n7|1:12:00\n');
    await refreshJobs(workspace);
    const [listed] = await listRuns(workspace);
    expect(listed).toMatchObject({ state: 'running', job: { node: 'n7' } });
    expect(listed!.job!.until! - Date.now()).toBeGreaterThan(4_300_000);
    await expect(deleteRun(workspace, listed!.run)).rejects.toThrow(/is in a queue \(slurm job 4711\)/);
    await expect(resubmitRun(folder, { workspace })).rejects.toThrow(/is in a queue/);
  });

  it('stays as it was while Slurm does not answer', async () => {
    const folder = await submitRun(plan, { workspace });
    await slurm.fail('squeue', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)');
    await expect(refreshJobs(workspace)).rejects.toThrow(/Unable to contact slurm controller/);
    expect((await runSummary(folder)).state).toBe('queued');
  });

  it('has the reason in its log when its job failed before it began', async () => {
    const folder = await submitRun(plan, { workspace });
    await writeFile(join(folder, 'output.txt'), 'a line\njob.sh: line 10: module: command not found\n');
    await slurm.answer('squeue', '4711|FAILED|NonZeroExitCode|n1|0:00\n');
    await refreshJobs(workspace);
    expect(await readJob(folder)).toBeNull();
    const { state, message } = await runSummary(folder);
    expect(state).toBe('failed');
    expect(message).toBe(
      `slurm job 4711 ended (FAILED) before the run began: a line | job.sh: line 10: module: command not found; all of its output is in ${folder}/output.txt`,
    );
  });

  it('has ended when Slurm has forgotten its job', async () => {
    const folder = await submitRun(plan, { workspace });
    await slurm.fail('squeue', 'slurm_load_jobs error: Invalid job id specified\n');
    await refreshJobs(workspace);
    expect((await lastEvents(folder)).state).toMatchObject({ event: 'failed', message: expect.stringContaining('printed nothing') as string }); // prettier-ignore
  });

  it('is cancelled before it begins', async () => {
    const folder = await submitRun(plan, { workspace });
    await slurm.answer('squeue', '4711|PENDING|Resources||1:00\n');
    const stopping = stopJob(folder);
    while ((await slurm.calls('scancel')).length === 0) await new Promise((done) => setTimeout(done, 20));
    await slurm.answer('squeue', '4711|CANCELLED|None||0:00\n');
    await stopping;
    expect(await slurm.calls('scancel')).toEqual(['--state=PENDING 4711']);
    expect((await runSummary(folder)).state).toBe('stopped');
    expect(await readdir(join(workspace, '.lcprune', 'jobs'))).toEqual([]);
  });

  it('gets a signal when it runs, and is then not queued again', async () => {
    const folder = await submitRun(plan, { workspace });
    await slurm.answer('squeue', '4711|RUNNING|None|n1|1:00\n');
    const stopping = stopJob(folder);
    while ((await slurm.calls('scancel')).length === 0) await new Promise((done) => setTimeout(done, 20));
    expect(await slurm.calls('scancel')).toEqual(['--batch --signal=TERM 4711']);
    expect(await readdir(join(workspace, '.lcprune', 'jobs'))).toContain(`${folder.split('/').at(-1)}.stop`);
    await slurm.answer('squeue', '4711|COMPLETED|None|n1|0:00\n');
    await stopping;
    expect((await runSummary(folder)).state).toBe('stopped');
  });
});

describe('the time that squeue reports', () => {
  it.each([
    ['1-02:03:04', 93_784],
    ['02:03:04', 7_384],
    ['3:04', 184],
    ['UNLIMITED', null],
    ['INVALID', null],
    ['', null],
  ])('%s is %s seconds', (text, seconds) => expect(secondsLeft(text)).toBe(seconds));
});
