/** Delay before the next try: doubles from `firstMs` and stops growing at `maxMs`. Pure: the caller sleeps. */
export interface BackoffPolicy {
  readonly firstMs: number
  readonly maxMs: number
}

export function backoffMs(policy: BackoffPolicy, failures: number): number {
  if (failures <= 0) return 0
  return Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(failures - 1, 30))
}
