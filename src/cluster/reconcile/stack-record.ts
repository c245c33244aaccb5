import type { StackSpec } from '#cluster/spec'

/** The durable desired state of one stack. */
export interface StackRecord {
  readonly spec: StackSpec
  /** Counts up with each accepted change. */
  readonly revision: number
  /** `removing`: everything of it goes, then the record. */
  readonly state: 'active' | 'removing'
  readonly removeVolumes: boolean
  /** Image id by service, pinned when the stack was applied: what a tag points to later does not change what runs. Absent: not found yet. */
  readonly images: Readonly<Record<string, string>>
  /** Host ports chosen for published ports that name none, by `portKey`. */
  readonly chosenPorts: Readonly<Record<string, number>>
}

export function portKey(
  service: string,
  port: { readonly containerPort: number; readonly protocol: string; readonly hostIp: string },
): string {
  return `${service}/${port.hostIp}/${port.containerPort}/${port.protocol}`
}
