import type { JsonObject } from '#api/http'
import type { Secrets, SecretKind } from '#cluster/secrets'
import type { Services } from '#cluster/services'
import type { RawCredentials } from '#engine/registry'

/** What swarm mode asks of the daemon. The swarm is this one machine. */
export interface DockerSwarm {
  readonly services: Services
  readonly secrets: Secrets
  /** Of this machine, for ever. */
  readonly nodeId: string
  /** null: in no swarm, and then all but `init` is refused. */
  current(): SwarmRecord | null
  init(wanted: { readonly address: string; readonly labels: Readonly<Record<string, string>> }): SwarmRecord
  update(change: SwarmChange): SwarmRecord
  /** Its services go, and the secrets and configs that were made through it. */
  leave(): Promise<void>
  /** A TCP port of the host that nobody listens on. */
  freePort(): Promise<number>
  /** Pulls what is not there, behind the call. */
  provideImage(ref: string, credentials: RawCredentials | null): void
  /** It goes when the swarm is left. */
  noteSecret(kind: SecretKind, id: string): void
}

export interface SwarmRecord {
  readonly id: string
  /** Counts up with each change. */
  readonly version: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly labels: Readonly<Record<string, string>>
  /** What others would reach this machine by: shown, and nothing listens there. */
  readonly address: string
  readonly workerToken: string
  readonly managerToken: string
}

export interface SwarmChange {
  readonly labels: Readonly<Record<string, string>>
  readonly hasNewWorkerToken: boolean
  readonly hasNewManagerToken: boolean
}

/** What a client said of a service, kept beside its revision and shown as it was. */
export type SaidSpec = JsonObject
