/** The server's imports from other rooms, loaded on first use: an idle daemon loads none of them. Tests replace parts. */
import type * as BaselinePlan from '../runs/baselinePlan.js';
import type * as Comparison from '../runs/comparison.js';
import type * as Keeping from '../runs/keepers.js';
import type * as LastPerLayer from '../runs/lastPerLayer.js';
import type { LogTail } from '../runs/logTail.js';
import type * as Marks from '../runs/list/marks.js';
import type * as NewestWeights from '../runs/newestWeights.js';
import type * as Registry from '../runs/list/registry.js';
import type * as Kept from '../runs/results/kept.js';
import type * as Finish from '../runs/results/finish.js';
import type * as Queue from '../runs/runners/queue.js';
import type * as Steer from '../runs/steer.js';
import type * as Sweeps from '../runs/sweeps/ofDaemon.js';
import type * as Supervisor from '../runs/supervisor.js';
import type { WatchedRuns } from '../runs/watchedRuns.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { runInChild, type JobName } from './jobs/childJob.js';
import { warmJob } from './jobs/jobProcess.js';
import type { PlanToRead } from './models/loadedModel.js';
import { Models } from './models/models.js';

export interface Backend {
  readonly startRun: typeof Supervisor.startRun;
  /** Has a process ready for a run that is about to be started. */
  readonly warmTrainer: (...of: Parameters<typeof Supervisor.warmTrainer>) => Promise<void>;
  readonly resumeRun: typeof Supervisor.resumeRun;
  readonly watchRuns: (...of: ConstructorParameters<typeof WatchedRuns>) => Promise<WatchedRuns>;
  readonly openTail: (folder: string) => Promise<LogTail>;
  /** The runs that this process looks after. */
  readonly keepers: () => Promise<Keeping.Keepers>;
  /** The runs that runners execute. */
  readonly queue: () => Promise<typeof Queue>;
  /** Plans with several values. */
  readonly sweeps: () => Promise<typeof Sweeps>;
  readonly isCutShort: typeof Keeping.isCutShort;
  readonly isRunElsewhere: typeof Keeping.isRunElsewhere;
  readonly runOwner: typeof Steer.runOwner;
  readonly trainerPid: typeof Steer.trainerPid;
  readonly steerRun: typeof Steer.steerRun;
  readonly runSummary: typeof Registry.runSummary;
  readonly runFolder: typeof Registry.runFolder;
  readonly readRunPlan: typeof Registry.readRunPlan;
  readonly readEvents: typeof Registry.readEvents;
  readonly deleteRun: typeof Registry.deleteRun;
  readonly renameRun: typeof Registry.renameRun;
  readonly changeMarks: typeof Marks.changeMarks;
  readonly lastPerLayer: typeof LastPerLayer.lastPerLayer;
  readonly newestWeights: typeof NewestWeights.newestWeights;
  readonly baselinePlan: typeof BaselinePlan.baselinePlan;
  readonly comparisonOf: typeof Comparison.comparisonOf;
  readonly readFinish: typeof Finish.readFinish;
  readonly readExports: typeof Kept.readExports;
  readonly readChanged: typeof Kept.readChanged;
  /** Models that clients ask about. */
  readonly models: Models;
  readonly readPlan: (path: string, options: Omit<PlanToRead, 'path'>) => Promise<ResolvedPlan>;
  readonly runInChild: typeof runInChild;
  /** Has a process ready for a job that is about to be asked for. */
  readonly warmJob: (job: JobName) => void;
}

const models = new Models();
const keeping = () => import('../runs/keepers.js');
let keepers: Promise<Keeping.Keepers> | undefined;
const registry = () => import('../runs/list/registry.js');
const steer = () => import('../runs/steer.js');
const supervisor = () => import('../runs/supervisor.js');

export const backend: Backend = {
  startRun: async (...args) => (await supervisor()).startRun(...args),
  warmTrainer: async (...args) => (await supervisor()).warmTrainer(...args),
  resumeRun: async (...args) => (await supervisor()).resumeRun(...args),
  watchRuns: async (...of) => new (await import('../runs/watchedRuns.js')).WatchedRuns(...of),
  openTail: async (folder) => (await import('../runs/logTail.js')).LogTail.open(folder),
  keepers: () => (keepers ??= keeping().then(({ Keepers }) => new Keepers())),
  queue: () => import('../runs/runners/queue.js'),
  sweeps: () => import('../runs/sweeps/ofDaemon.js'),
  isRunElsewhere: async (...args) => (await keeping()).isRunElsewhere(...args),
  isCutShort: async (...args) => (await keeping()).isCutShort(...args),
  trainerPid: async (...args) => (await steer()).trainerPid(...args),
  runOwner: async (...args) => (await steer()).runOwner(...args),
  steerRun: async (...args) => (await steer()).steerRun(...args),
  runSummary: async (...args) => (await registry()).runSummary(...args),
  runFolder: async (...args) => (await registry()).runFolder(...args),
  readRunPlan: async (...args) => (await registry()).readRunPlan(...args),
  readEvents: async (...args) => (await registry()).readEvents(...args),
  deleteRun: async (...args) => (await registry()).deleteRun(...args),
  renameRun: async (...args) => (await registry()).renameRun(...args),
  changeMarks: async (...args) => (await import('../runs/list/marks.js')).changeMarks(...args),
  lastPerLayer: async (...args) => (await import('../runs/lastPerLayer.js')).lastPerLayer(...args),
  newestWeights: async (...args) => (await import('../runs/newestWeights.js')).newestWeights(...args),
  baselinePlan: async (...args) => (await import('../runs/baselinePlan.js')).baselinePlan(...args),
  comparisonOf: async (...args) => (await import('../runs/comparison.js')).comparisonOf(...args),
  readFinish: async (...args) => (await import('../runs/results/finish.js')).readFinish(...args),
  readExports: async (...args) => (await import('../runs/results/kept.js')).readExports(...args),
  readChanged: async (...args) => (await import('../runs/results/kept.js')).readChanged(...args),
  models,
  readPlan: (path, options) => models.readPlan({ path, ...options }),
  runInChild,
  warmJob,
};
