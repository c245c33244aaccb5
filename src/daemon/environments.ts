import type { Clock, Log } from '#base'
import { openEnvironments, type Environments } from '#cluster/environments'
import type { Secrets } from '#cluster/secrets'
import type { Stacks } from '#cluster/stacks'
import type { ClusterStore } from '#cluster/store'
import type { Router } from '#traffic/router'

import type { Engine } from './engine.ts'

export interface EnvironmentsNeeds {
  readonly engine: Pick<Engine, 'volumes' | 'events'>
  readonly stacks: Stacks
  readonly secrets: Secrets
  readonly store: ClusterStore
  readonly router: Pick<Router, 'freePort'>
  readonly clock: Clock
  readonly log: Log
}

/** Environments on this machine; what happens to them is told as events. */
export function environmentsOf({ engine, router, ...ports }: EnvironmentsNeeds): Environments {
  return openEnvironments({
    ...ports,
    volumes: async () => await Promise.resolve(engine.volumes.list().map(({ name }) => name)),
    freePort: async (hostIp) => await router.freePort(hostIp),
    tell: (action, { stack, name, application, expiresAtMs }) => {
      const expires = expiresAtMs === null ? {} : { expires: new Date(expiresAtMs).toISOString() }
      engine.events.publish({ type: 'environment', action, actorId: stack, attributes: { name, application, ...expires } })
    },
  })
}
