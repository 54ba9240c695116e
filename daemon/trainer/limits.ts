/** Bounds of a trainer's process in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** After the supervisor is gone: long enough for any checkpoint, short enough for no orphan to stay. */
  orphanTime: 60_000,
  /** How often the supervisor gets the memory in use. */
  memoryInterval: 2_000,
  /** Between two looks at the file by which others steer the run. */
  requestInterval: 500,
  /** Between two signs of life of the holder of a run's lock. */
  heartbeat: 5_000,
  /** A holder whose process cannot be looked at is gone when it has been silent for this long. */
  silence: 60_000,
  /** How long a silent lock of another machine is watched before it is taken over: two heartbeats and a late one. */
  watchTime: 12_000,
  /** Between two looks at it. */
  watchInterval: 500,
  /** How long a lock that others are after is tried for. */
  takingTime: 15_000,
  /** Removing a lock takes milliseconds: a claim older than this is nobody's. */
  claimTime: 10_000,
  /** Between two looks at it. */
  claimInterval: 10,
  /** Between two checkpoints: what a kill costs at most. */
  checkpointInterval: 20_000,
  /** Longer headers are of no checkpoint of ours. */
  checkpointHeader: 16 << 20,
  /** Between two `batch` events. */
  batchInterval: 50,
  /** Answers of a teaching reference that are kept: of a thousand classes, those to 65,000 samples. */
  answers: 256 << 20,
  /** Throughput is averaged over about this long. */
  rateTime: 2000,
  /** Engine calls are this long, so that pausing and stopping feel immediate. */
  engineCall: 200,
  /** No further file is judged after this long: a run has ended, and its user waits. */
  fileErrorsTime: 120_000,
} as const;
