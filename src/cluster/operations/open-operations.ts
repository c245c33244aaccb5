import { isKind, type Clock } from '#base'
import {
  changePlan,
  NOTHING_WANTED,
  planChanges,
  startTimeOf,
  wantedService,
  type ChangePlan,
  type Wanted,
} from '#cluster/changes'
import type { History } from '#cluster/history'
import type { RevisionRecord } from '#cluster/model'
import type { Services, ServiceSight, ServiceWish } from '#cluster/services'

import { deployedWish, wishOfRevision } from './deployed-wish.ts'
import { operationError } from './errors.ts'
import { findService } from './find-service.ts'
import type { Operations, Performed } from './port.ts'
import { serviceView } from './service-view.ts'
import { taskView, type TaskView } from './task-view.ts'
import type { ServiceVerb } from './verb.ts'
import { watchService } from './watch-service.ts'

export interface OperationsPorts {
  readonly services: Services
  readonly history: History
  readonly clock: Clock
  /** Called after each look of the loop at the services. */
  readonly listen: (changed: () => void) => Disposable
  /** Content id of a reference; undefined: it is not here. */
  readonly resolveImage: (reference: string) => Promise<string | undefined>
  /** What a client of Docker's API said of a service, with what the wish says otherwise. */
  readonly restated: (said: Readonly<Record<string, unknown>>, wish: ServiceWish) => Readonly<Record<string, unknown>>
}

/** The loop writes the same record while a rollout goes on; more conflicts in a row than this are no accident. */
const MAX_TRIES = 10
const CONFLICT_MS = 20
/** What they change is how a rollout goes on: no wish is another one afterwards. */
const UNSEEN: ReadonlySet<string> = new Set(['promote', 'abort', 'resume'])

/** What a verb comes to: what is wanted afterwards, and how it is said. */
interface Prepared {
  /** undefined: nothing of it. */
  readonly after:
    | { readonly replicas: number; readonly state: 'active' | 'paused'; readonly revision: RevisionRecord }
    | undefined
  readonly isGoingBack?: boolean
  readonly warnings?: readonly string[]
  readonly carryOut: (services: Services, version: number) => Promise<unknown>
}

export function openOperations(ports: OperationsPorts): Operations {
  const { services, history, clock } = ports
  const find = async (ref: string) => await findService(services, ref)

  async function prepare(sight: ServiceSight, verb: ServiceVerb, by: string): Promise<Prepared> {
    const { record, revision, previous } = sight
    const { id } = record
    const now = {
      replicas: record.replicas,
      state: record.state === 'paused' ? ('paused' as const) : ('active' as const),
      revision,
    }
    switch (verb.verb) {
      case 'deploy': {
        const imageId = verb.image === undefined ? undefined : await ports.resolveImage(verb.image)
        return wished(sight, deployedWish({ record, revision, deploy: verb, imageId: imageId ?? null, by }))
      }
      case 'rollback': {
        if (verb.revision !== undefined) return wished(sight, wishOfRevision(record, await revisionOf(sight, verb.revision), by))
        const replicas = previous?.spec.mode === 'replicated' ? previous.spec.replicas : record.replicas
        return {
          after: previous === null ? now : { ...now, replicas, revision: previous },
          isGoingBack: true,
          carryOut: async (as, version) => await as.rollback(id, by, version),
        }
      }
      case 'scale':
        return {
          after: { ...now, replicas: verb.replicas },
          carryOut: async (as, version) => await as.scale(id, verb.replicas, version),
        }
      case 'pause':
        return { after: { ...now, state: 'paused' }, carryOut: async (as) => await as.pause(id) }
      case 'resume':
        return { after: { ...now, state: 'active' }, carryOut: async (as) => await as.resume(id) }
      case 'promote':
      case 'abort': {
        const { verb: name } = verb
        return { after: { ...now, state: 'active' }, carryOut: async (as) => await as[name](id) }
      }
      case 'remove':
        return { after: undefined, carryOut: async (as) => await as.remove(id) }
    }
  }

  function wished({ record, revision }: ServiceSight, plain: ServiceWish): Prepared {
    const { said } = plain.parts
    const wish = said === undefined ? plain : { ...plain, parts: { ...plain.parts, said: ports.restated(said, plain) } }
    const { spec, parts, imageId, forced } = wish
    const next = { ...revision, spec, parts, imageId, ...(forced === undefined ? {} : { forced }) }
    return {
      after: { replicas: spec.replicas, state: record.state === 'paused' ? 'paused' : 'active', revision: next },
      carryOut: async (as, version) => await as.update(record.id, wish, version),
    }
  }

  /** Of a service that is gone there is only the name. */
  async function nameOf(ref: string): Promise<string> {
    try {
      return (await find(ref)).record.name
    } catch (error) {
      if (isKind(error, 'not_found')) return ref.replace('/', '_')
      throw error
    }
  }

  async function revisionOf({ record }: ServiceSight, number: number): Promise<RevisionRecord> {
    const all = await services.revisions(record.id)
    const found = all.find((revision) => revision.number === number)
    if (found !== undefined) return found
    throw operationError('operation.revision_not_found', `service ${record.name} has no revision ${number}`, {
      hint: `It has ${all.map((revision) => revision.number).join(', ')}.`,
    })
  }

  async function planOf(sight: ServiceSight, { after, isGoingBack, warnings }: Prepared): Promise<ChangePlan> {
    const { record, revision } = sight
    const all = record.stack === null ? [sight] : (await services.list()).filter((other) => other.record.stack === record.stack)
    const others = Object.fromEntries(all.map((other) => [other.record.name, wantedService(other.record, other.revision)]))
    const { [record.name]: _self, ...rest } = others
    const with_ = (service: Wanted['service']): Wanted => ({ ...NOTHING_WANTED, service: { ...rest, ...service } })
    const before = with_({ [record.name]: wantedService(record, revision) })
    const then = with_(after === undefined ? {} : { [record.name]: wantedService(after, after.revision) })
    const tasks = await services.tasks({ service: record.id })
    const seen = {
      runningTasks: sight.runningTasks,
      desiredTasks: sight.desiredTasks,
      startMs: startTimeOf(tasks.map((task) => task.record)),
      ...(isGoingBack === true ? { isGoingBack } : {}),
    }
    return changePlan(planChanges(before, then, { services: { [record.name]: seen }, removesVolumes: false }), warnings)
  }

  const operations: Operations = {
    list: async () => (await services.list()).map(serviceView),
    get: async (ref) => {
      const sight = await find(ref)
      const revisions = await services.revisions(sight.record.id)
      return { service: serviceView(sight), tasks: await viewsOf([sight]), revisions: revisions.toReversed() }
    },
    tasks: async (refs, { isEnded }) => {
      const sights = refs.length === 0 ? await services.list() : await Promise.all(refs.map(find))
      return await viewsOf(sights, isEnded)
    },
    history: async ({ services: refs, ...wanted }) => {
      const names = refs === undefined ? undefined : await Promise.all(refs.map(nameOf))
      return await history.list(names === undefined ? wanted : { ...wanted, services: names })
    },
    preview: async (ref, verb) => {
      const sight = await find(ref)
      return await planOf(sight, await prepare(sight, verb, ''))
    },
    perform: async (ref, verb, { actor, planId }): Promise<Performed> => {
      const as = services.as(actor)
      for (let tries = 1; ; tries += 1) {
        const sight = await find(ref)
        const prepared = await prepare(sight, verb, actor.by)
        const plan = await planOf(sight, prepared)
        if (planId !== undefined && planId !== plan.id)
          throw operationError(
            'operation.outdated',
            `service ${sight.record.name} was changed meanwhile: this is not what was shown`,
            {
              hint: 'Ask again, and look at what would be done now.',
            },
          )
        try {
          await prepared.carryOut(as, sight.version)
        } catch (error) {
          if (!isChangedMeanwhile(error) || tries >= MAX_TRIES) throw error
          await clock.sleep(CONFLICT_MS)
          continue
        }
        const after = await find(sight.record.id)
        return {
          plan,
          service: serviceView(after),
          revision: after.record.revision,
          isChanged: plan.operations.length > 0 || UNSEEN.has(verb.verb),
        }
      }
    },
    watch: (ref, wanted, signal) => watchService(ports, ref, wanted, signal),
  }
  return operations

  async function viewsOf(sights: readonly ServiceSight[], isEnded?: boolean): Promise<readonly TaskView[]> {
    const nodes = new Map((await services.nodes()).map(({ record }) => [record.id, record]))
    const byService = new Map(sights.map((sight) => [sight.record.id, sight]))
    const tasks = await services.tasks(isEnded === undefined ? {} : { isEnded })
    return tasks
      .flatMap(({ record }) => {
        const sight = byService.get(record.serviceId)
        return sight === undefined ? [] : [{ task: taskView(record, sight, nodes), slot: record.slot ?? 0 }]
      })
      .toSorted((a, b) => (a.task.service < b.task.service ? -1 : a.task.service > b.task.service ? 1 : a.slot - b.slot))
      .map(({ task }) => task)
  }
}

function isChangedMeanwhile(error: unknown): boolean {
  return isKind(error, 'conflict') && error.code === 'service.changed'
}
