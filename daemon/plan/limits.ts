/** Bounds of reading plans and searching for their data in one place. Sizes are bytes, times milliseconds. */
export const LIMITS = {
  /** A plan file. */
  planFile: 4 << 20,
  /** Characters of a plan's text, and levels of its brackets. */
  planCharacters: 1 << 20,
  planDepth: 32,
  /** Points of a sweep: each is a run with a folder of its own. */
  sweepPoints: 1000,
  /** Files and folders that are opened, the nearest to the model first, and how long that may take. */
  searchOpened: 40,
  searchTime: 15_000,
  /** Data that does not fit is named up to here. */
  searchOthers: 20,
  /** Larger files are named, and not opened. */
  searchedFile: 256 << 20,
} as const;
