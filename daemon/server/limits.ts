/** All bounds of the server. Sizes are bytes, times milliseconds. */
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
  /** Size of one incoming message. */
  messageSize: 2 * 1024 * 1024,
  messageDepth: 64,
  /** Pending requests of one client. */
  inFlight: 256,
  /** A client with more unread bytes has stopped reading: it is disconnected. */
  outgoing: 64 * 1024 * 1024,
  /** Above this, batch metrics wait (and are downsampled) until the client has read. */
  outgoingBusy: 256 * 1024,
  /** Waiting batch points per run before every second one is dropped. */
  waitingPoints: 4096,
  batchInterval: 100,
  /** Least interval between `lc/runChanged` of one run. */
  summaryInterval: 250,
  /** Interval between checks of the runs on disk, and of a followed log that has not grown for `tailPatience`. */
  lookInterval: 1_000,
  /** Interval between questions to the queues of clusters, which serve many users. */
  queueInterval: 10_000,
  /** Interval between reads of a followed log that another process writes. */
  tailInterval: 200,
  tailPatience: 10_000,
  pingInterval: 15_000,
  /** A connection that is silent for this long, in spite of pings, is gone. */
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
  /** Files of models up to this size are read by the daemon itself, larger ones in a thread; a graph of ONNX has many nodes in few bytes. */
  modelInPlace: 8 * 1024 * 1024,
  graphInPlace: 64 * 1024,
  /** A model that nobody asks for is kept for this long. */
  modelLifetime: 60_000,
  /** How long the trainers get to write a checkpoint when the daemon ends. */
  shutdown: 10_000,
} as const;
