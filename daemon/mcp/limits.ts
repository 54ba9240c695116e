/** Bounds of the assistants' server in one place. Times are milliseconds, unless the name says seconds. */
export const LIMITS = {
  /** Another process's run is looked at this often while somebody waits for it. */
  lookInterval: 1_000,
  /** Below the minute after which many clients give up a call. */
  waitSeconds: 50,
  /** Characters of a plan that is checked. */
  planCharacters: 1 << 20,
} as const;
