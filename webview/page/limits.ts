/** Bounds of the pages in one place. Times are milliseconds. */
export const LIMITS = {
  /** A hand that still moves a floor asks nothing. */
  draggingPause: 200,
  /** Longer than any press that is a click. */
  longestPress: 1000,
} as const;
