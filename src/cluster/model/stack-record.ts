import type { StackSpec } from '#cluster/spec'

/** One application that is wanted, under `stack/NAME`. Its services have records of their own, which are written together with it. */
export interface StackRecord {
  readonly spec: StackSpec
  /** Counts up with each accepted change. */
  readonly revision: number
  /** `removing`: everything of it goes, then the record. */
  readonly state: 'active' | 'removing'
  readonly removeVolumes: boolean
  /** Host ports chosen for published ports that name none. */
  readonly chosenPorts: Readonly<Record<string, number>>
  /** Services that are made as soon as those of the same name are gone, with their images; null: not found yet. */
  readonly awaited: Readonly<Record<string, string | null>>
  /** What earlier versions named and this one does not, as the node calls it. Networks go when nobody uses them, volumes with the stack. */
  readonly former: { readonly networks: readonly string[]; readonly volumes: readonly string[] }
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
