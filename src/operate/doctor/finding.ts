/** One thing that the doctor looked at. */
export interface Finding {
  /** Stable, for machines: `cgroup.mode`. */
  readonly id: string
  readonly level: FindingLevel
  /** What was seen, with its value. */
  readonly what: string
  /** What it means for containers on this host. Empty for a finding that is ok. */
  readonly why: string
  /** What to do about it. Empty when there is nothing to do. */
  readonly advice: string
}

export type FindingLevel = 'ok' | 'note' | 'warning' | 'problem'
