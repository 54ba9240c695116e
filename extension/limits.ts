/** Bounds of the extension in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** From the start of the daemon to its first line. */
  helloTime: 20_000,
  /** Its length: a longer line is no hello. */
  helloLine: 4096,
  /** The answer to `initialize`. */
  initializeTime: 20_000,
  /** A checkpoint of a large model takes a while; VS Code gives a closing extension 5 s, the daemon goes on alone. */
  closingTime: 4_000,
  /** What is interrupted within this time was so by one thing: a window that closed, a machine that went down. */
  quietTime: 1500,
  /** Typing pauses this long before the daemon is asked. */
  typingPause: 80,
  /** And this much longer before a child process opens the data. */
  longTypingPause: 250,
  /** Between two posts to the monitor's page. */
  monitorInterval: 100,
  /** Most rows of one table; beyond it every table row pair of least interest goes. 6 columns x 8 bytes x this = 6 MB a run. */
  seriesRows: 1 << 17,
  /** From the change of a run's state to the question about its sweep. */
  sweepPause: 1500,
  /** Between two posts of changed runs to the table. */
  tableInterval: 200,
  /** An image of another folder travels in the message, which is bounded (daemon/server/limits.ts). */
  triedImage: 1 << 20,
  /** Characters that a command prints: more is no table to read. */
  cliOutput: 1 << 20,
  /** The editor has read the steps of a walkthrough by then. */
  walkthroughTime: 1000,
} as const;
