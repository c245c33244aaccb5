import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { ServiceVerb } from '#api/glovebox'
import type { LiveService } from '#dashboard/wire'

import { useApp, useLive, useMay } from '../base/app-context.ts'
import { shortImage } from '../base/format.ts'
import { to } from '../base/place.ts'
import { serviceShown, taskShown, titleOf } from '../base/tones.ts'
import { Action } from '../parts/action.tsx'
import { Ago } from '../parts/ago.tsx'
import { Badge } from '../parts/badge.tsx'
import { History } from '../parts/history.tsx'
import { Empty, PageHead, Panel } from '../parts/panel.tsx'
import { Why } from '../parts/why.tsx'
import { Rollout } from './rollout.tsx'

/** One service: its rollout while it goes, its tasks, its history. */
export function Service({ name }: { readonly name: string }): JSX.Element {
  const { services, host } = useLive('services', 'host')
  const mayWork = useMay('operator')
  const service = [...services.values()].find((one) => one.name === name || one.id === name)
  if (service === undefined)
    return (
      <>
        <PageHead title={name} over={<a href={to('apps')}>Applications</a>} />
        <Empty>{host.size === 0 ? 'Loading…' : 'There is no such service (any more).'}</Empty>
      </>
    )
  const isTroubled = service.waits.length > 0
  return (
    <>
      <Head service={service} />
      {isTroubled && <Why name={service.name} />}
      {service.rollout !== null && <Rollout service={service} rollout={service.rollout} />}
      <Tasks service={service} />
      {mayWork && <History service={service.name} />}
    </>
  )
}

function Head({ service }: { readonly service: LiveService }): JSX.Element {
  const { http } = useApp()
  const { name, stack, rollout, state } = service
  const { tone, text } = serviceShown(service)
  const ask = (verb: ServiceVerb) => async () => await http.json('POST', `/services/${encodeURIComponent(name)}`, verb)
  const isUnderWay = rollout !== null && rollout.endedAtMs === null
  const isHeld = state === 'paused' || rollout?.state === 'paused'
  return (
    <PageHead
      title={titleOf(service)}
      over={
        <>
          <a href={to('apps')}>Applications</a>
          {stack !== null && (
            <>
              {' · '}
              <a href={to('apps', stack)}>{stack}</a>
            </>
          )}
          {' · '}
          {shortImage(service.image)} · revision {service.revision}
        </>
      }
    >
      <Badge tone={tone}>{text}</Badge>
      <span class="soft">
        {service.readyTasks} of {service.desiredTasks} ready
      </span>
      {isHeld ? (
        <Action title="Resume" role="operator" isMain done={`${name} goes on`} run={ask({ verb: 'resume' })} />
      ) : (
        <Action
          title="Pause"
          role="operator"
          confirm={`${name} stays as it is: nothing is replaced, scaled or rolled until it is resumed.`}
          done={`${name} is paused`}
          run={ask({ verb: 'pause' })}
        />
      )}
      {isUnderWay && (
        <Action
          title="Promote"
          role="operator"
          isMain={!isHeld}
          confirm={`Revision ${rollout.to} takes all of the traffic, whatever was or would be judged.`}
          done={`${name} is promoted`}
          run={ask({ verb: 'promote' })}
        />
      )}
      {isUnderWay && (
        <Action
          title="Abort"
          role="operator"
          isDangerous
          confirm={`The rollout ends and goes back to revision ${rollout.from ?? 'before'}.`}
          done={`The rollout of ${name} goes back`}
          run={ask({ verb: 'abort' })}
        />
      )}
      {!isUnderWay && service.previousRevision !== null && (
        <Action
          title="Roll back"
          role="operator"
          confirm={`${name} goes back to revision ${service.previousRevision}.`}
          done={`${name} goes back`}
          run={ask({ verb: 'rollback' })}
        />
      )}
      {service.mode === 'replicated' && <Scale key={service.replicas} service={service} ask={ask} />}
    </PageHead>
  )
}

function Scale({
  service,
  ask,
}: {
  readonly service: LiveService
  readonly ask: (verb: ServiceVerb) => () => Promise<unknown>
}): JSX.Element | null {
  const [replicas, setReplicas] = useState(service.replicas)
  if (!useMay('operator')) return null
  return (
    <span class="scale">
      <input
        type="number"
        min={0}
        max={10_000}
        aria-label="Replicas"
        value={replicas}
        onInput={(event) => setReplicas(Math.max(0, Math.floor(Number(event.currentTarget.value))))}
      />
      <Action
        title="Scale"
        role="operator"
        disabled={replicas === service.replicas}
        confirm={`${service.name} has ${service.replicas} ${service.replicas === 1 ? 'replica' : 'replicas'} and gets ${replicas}.`}
        done={`${service.name} is scaled to ${replicas}`}
        run={ask({ verb: 'scale', replicas })}
      />
    </span>
  )
}

/** Tasks that have ended are history; some of the last ones tell why. */
const MAX_ENDED = 10

function Tasks({ service }: { readonly service: LiveService }): JSX.Element {
  const { tasks, nodes } = useLive('tasks', 'nodes')
  const own = [...tasks.values()].filter(({ serviceId }) => serviceId === service.id)
  const isEnded = (state: string) => ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'].includes(state)
  const living = own.filter(({ state }) => !isEnded(state)).toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0))
  const ended = own.filter(({ state }) => isEnded(state)).toSorted((a, b) => b.sinceMs - a.sinceMs)
  const shown = [...living, ...ended.slice(0, MAX_ENDED)]
  return (
    <Panel
      title="Tasks"
      aside={ended.length > MAX_ENDED ? `${living.length}, and the last of those that ended` : String(living.length)}
    >
      {shown.length === 0 ? (
        <Empty>It has no tasks.</Empty>
      ) : (
        <ul class="lines">
          {shown.map((task) => {
            const { tone, text } = taskShown(task)
            const label =
              task.slot === null ? (nodes.get(task.nodeId ?? '')?.description.hostname ?? task.id.slice(0, 8)) : `${task.slot}`
            return (
              <li key={task.id}>
                {task.containerId === null ? (
                  <b>{label}</b>
                ) : (
                  <a class="subject" href={to('containers', task.containerId)}>
                    {label}
                  </a>
                )}
                <Badge tone={tone}>{text}</Badge>
                <span class="soft">revision {task.revision}</span>
                {task.nodeId !== null && <span class="soft">{nodes.get(task.nodeId)?.description.hostname ?? ''}</span>}
                <span class="text">{task.error === '' && tone !== 'good' ? task.message : task.error}</span>
                <span class="soft end">
                  <Ago atMs={task.sinceMs} />
                </span>
              </li>
            )
          })}
        </ul>
      )}
    </Panel>
  )
}
