/** What something is called that may be not as wanted. */
export interface Subject {
  readonly kind: SubjectKind
  readonly id: string
  /** As people call it: `shop/web`. */
  readonly name: string
}

export type SubjectKind = 'application' | 'service' | 'task' | 'container' | 'job' | 'route' | 'node' | 'image'

/** One thing that is not as wanted, why, and what to do. */
export interface Diagnosis {
  /** Stable, for machines: `end.out_of_memory`. */
  readonly code: DiagnosisCode
  readonly severity: Severity
  /** What it is about, the nearest first, then what that is part of. Never empty. */
  readonly about: readonly Subject[]
  /** What it comes from where that is something else: the diagnoses of those say more. */
  readonly because: readonly Subject[]
  /** All that matters in one sentence. */
  readonly sentence: string
  /** What it was seen by, one line each. */
  readonly evidence: readonly string[]
  /** What to do or to run. */
  readonly advice: string
  /** Since when; null: nobody knows. */
  readonly sinceMs: number | null
}

/** `failure`: it is not there. `warning`: it is there and not as it should be, or not for long. `note`: it happened, and nothing else is wanted now. */
export type Severity = 'failure' | 'warning' | 'note'

export type DiagnosisCode =
  | `place.${string}`
  | `image.${'missing' | 'not_found' | 'denied' | 'certificate' | 'unreachable' | 'failed'}`
  | `start.${'failed' | 'port_in_use' | 'mount_source_missing' | 'addresses_used_up' | 'secret_missing' | 'part_missing' | 'image_gone' | 'user_unknown'}`
  | `end.${'out_of_memory' | 'command_not_found' | 'not_executable' | 'wrong_architecture' | 'read_only' | 'disk_full' | 'port_in_use' | 'name_unknown' | 'killed' | 'signal' | 'exit_code' | 'too_soon'}`
  | `health.${'unhealthy' | 'starting' | 'readiness' | 'liveness' | 'startup'}`
  | `wait.${'dependency' | 'node_away' | 'slow' | 'other'}`
  | `route.${'not_served' | 'port_in_use' | 'certificate' | 'no_backend'}`
  | `rollout.${'paused' | 'rolled_back' | 'canary_waits' | 'by_hand'}`
  | 'service.paused'
  | 'container.paused'
  | 'stop.killed'
  | `name.${'unknown' | 'silent'}`
  | 'policy.refused'
  | 'network.pools_used_up'
  | `job.${'failed' | 'missed' | 'suspended'}`
  | `node.${'down' | 'drained' | 'paused'}`
  | `host.${'disk' | 'memory' | 'clock'}`
  | 'volume.full'
  | 'mount.source_gone'
  | `memory.${'near_limit' | 'process_killed'}`
