import type { IncomingMessage } from 'node:http'

import type { JsonObject } from '#api/http'
import type { Actor } from '#cluster/model'
import type { Secrets, SecretKind } from '#cluster/secrets'
import type { Services } from '#cluster/services'
import type { RawCredentials } from '#engine/registry'

/** What swarm mode asks of the daemon. The swarm is this one machine. */
export interface DockerSwarm {
  readonly services: Services
  /** Who asks: it stands in the history of what they change. Absent: nobody can tell. */
  readonly actorOf?: (request: IncomingMessage) => Actor
  readonly secrets: Secrets
  /** Of this machine, for ever. */
  readonly nodeId: string
  /** null: in no swarm, and then all but `init` is refused. */
  current(): SwarmRecord | null
  init(wanted: Pick<SwarmRecord, 'address' | 'labels' | 'keptTasksPerSlot'>): SwarmRecord
  update(change: SwarmChange): SwarmRecord
  /** Its services go, and the secrets and configs that were made through it. */
  leave(): Promise<void>
  /** Where services have addresses of their own, with the prefix of the network: `10.0.1.130/24`. */
  virtualIps(): readonly VirtualIp[]
  /** A TCP port of the host that nobody listens on. */
  freePort(): Promise<number>
  /** Pulls what is not there, behind the call. */
  provideImage(ref: string, credentials: RawCredentials | null): void
  /** It goes when the swarm is left. */
  noteSecret(kind: SecretKind, id: string): void
}

export interface VirtualIp {
  readonly serviceId: string
  readonly networkId: string
  readonly address: string
}

export interface SwarmRecord {
  readonly id: string
  /** Counts up with each change. */
  readonly version: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly labels: Readonly<Record<string, string>>
  /** Tasks of each slot, those that live among them. */
  readonly keptTasksPerSlot: number
  /** What others would reach this machine by: shown, and nothing listens there. */
  readonly address: string
  readonly workerToken: string
  readonly managerToken: string
}

export interface SwarmChange extends Pick<SwarmRecord, 'labels' | 'keptTasksPerSlot'> {
  readonly hasNewWorkerToken: boolean
  readonly hasNewManagerToken: boolean
}

/** What a client said of a service, kept beside its revision and shown as it was. */
export type SaidSpec = JsonObject
