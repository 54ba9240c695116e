/** Bounds of those who look after trainers and their runs, the daemon and the command line, in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** A trainer that does not end this long after the request is killed; the last checkpoint is on disk. */
  stopTime: 60_000,
  /** How long a dead trainer's last messages are waited for. */
  drainTime: 2000,
  /** Events kept for the first subscriber. */
  backlog: 10_000,
  /** Lines of its output that may explain its end. */
  outputTail: 20,
  /** How long a process that was started in advance waits for a run. */
  warmTime: 60_000,
  /** How long another daemon may take to let go of a run whose trainer is gone. */
  keeperTime: 3_000,
  /** Between two looks whether it has. */
  keeperInterval: 100,
  /** A trainer looks twice a second; one that took no notice for this long is of an earlier version, or hangs. */
  noticeTime: 15_000,
  /** How long a checkpoint may take. */
  effectTime: 60_000,
  /** Between two looks at what came of a request. */
  steerInterval: 100,
  /** Finding the next engine: for all candidates together; each loads the run's model and data. */
  nextEngineTime: 60_000,
  /** Longer lines are no events of ours. */
  eventLine: 16 << 20,
  /** A file that was changed within this time of being looked at may change again and look the same. */
  coarseTime: 2_000,
  /** A folder without a log belongs to a run that is loading its data, or to a start that is about to fail. */
  startingTime: 10_000,
  /** Of the runs that can still be resumed, how many one look goes through (with more, in turns): each costs one question to the file system. */
  resumableALook: 500,
  /** A program of a cluster answers within this time. */
  runnerTime: 30_000,
  runnerOutput: 16 << 20,
  /** Between two questions to a queue: the first, and those after a while. */
  firstJobInterval: 1_000,
  jobInterval: 10_000,
  /** Between two looks at the log of a run that a queue has. */
  followInterval: 500,
  sweepInterval: 5_000,
  /** A submission that has not named its job after this time has failed. */
  submitTime: 60_000,
  /** How long a job may take to end after it was asked to, and between two looks whether it has. */
  jobEndTime: 120_000,
  jobStopInterval: 500,
  /** The end of a job's output that explains its end: bytes, and lines of them. */
  outputBytes: 16 << 10,
  explainingLines: 4,
  /** A time limit that moved by less is the same one. */
  limitSlack: 5_000,
  /** How long a job waits for the trainer before it, which may have been killed elsewhere: its lock is silent for a minute then. */
  lockWait: 120_000,
  /** Larger data is not opened before a run. */
  triedData: 256 << 20,
  /** Images of folders that are read before a run. */
  triedImages: 256,
} as const;
