/** Every bound of the server in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** The first stdin line. */
  tokenLength: 256,
  tokenTime: 10_000,
  /** TCP connections at once, authenticated or not; idle ones are dropped after `headerTime`. */
  sockets: 128,
  /** Authenticated WebSockets at once. */
  clients: 16,
  headerCount: 48,
  headerSize: 8 * 1024,
  headerTime: 4_000,
  /** One incoming message. */
  messageSize: 2 * 1024 * 1024,
  messageDepth: 64,
  /** Requests of one client that wait for an answer. */
  inFlight: 256,
  /** A client that is owed more than this has stopped reading: it is disconnected. */
  outgoing: 64 * 1024 * 1024,
  /** Above this, batch metrics wait (and thin out) until the client has read. */
  outgoingBusy: 256 * 1024,
  /** Waiting batch points per run before every second one is dropped. */
  waitingPoints: 4096,
  batchInterval: 50,
  /** `lc/runChanged` of one run: at most one in this time. */
  summaryInterval: 250,
  /** Between two looks at the runs on disk, and at a log that is followed and has not grown for `tailPatience`. */
  lookInterval: 1_000,
  /** Between two readings of a followed log that another process writes. */
  tailInterval: 200,
  tailPatience: 10_000,
  pingInterval: 15_000,
  /** Silent for this long, in spite of pings: the connection is gone. */
  silence: 45_000,
  /** A helper process of a job, from its start to its answer, and what it may print. */
  jobTime: 10 * 60_000,
  jobOutput: 8 << 20,
  /** How long a process that was started in advance waits to be asked. */
  warmTime: 60_000,
  /** A driver that is asked for the memory of its processes. */
  driverTime: 3_000,
  /** A search for data answers all who ask meanwhile, and for this long after. */
  searchLifetime: 20_000,
  /** Drivers and packages do not come and go by the second, and a probe takes one. */
  probeLifetime: 60_000,
  /** A model that nobody asks for is kept for this long. */
  modelLifetime: 60_000,
  /** How long the trainers get to write a checkpoint when the daemon ends. */
  shutdown: 10_000,
} as const;
