/** After a start: time enough for stacks to come back, and for the clock to be set. */
export const FIRST_PASS_MS = 5 * 60_000
export const PASS_INTERVAL_MS = 60 * 60_000
/** Asking for the free space costs microseconds; a build fills gigabytes in this time. */
export const DISK_WATCH_MS = 30_000
/** While the disk stays short, passes that have nothing left to take need not come more often. */
export const DISK_PASS_GAP_MS = 10 * 60_000
/** A full disk fails many writes at once: one pass answers all that come within this time. */
export const DISK_FULL_GAP_MS = 5_000
/** Wall clock and machine apart by more than this since the last look: somebody set the clock. */
export const CLOCK_JUMP_MS = 24 * 60 * 60_000
/** Runs that are remembered. Hourly passes that find nothing are not among them. */
export const MAX_RUNS = 50
/** Of one run; more are counted in its bytes alone. */
export const MAX_ITEMS = 500
