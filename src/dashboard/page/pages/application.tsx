import type { JSX } from 'preact'

import type { StackService, StackTask } from '#api/glovebox'

import { useApp, useLive } from '../base/app-context.ts'
import { shortImage } from '../base/format.ts'
import type { LiveState } from '../base/live-state.ts'
import { to } from '../base/place.ts'
import { serviceShown, stackServiceShown, stackShown } from '../base/tones.ts'
import { Action } from '../parts/action.tsx'
import { Badge } from '../parts/badge.tsx'
import { Empty, PageHead, Panel } from '../parts/panel.tsx'
import { Why } from '../parts/why.tsx'

/** One application: its services, their tasks, and why it is not ready. */
export function Application({ name }: { readonly name: string }): JSX.Element {
  const { http } = useApp()
  const state = useLive('stacks', 'services', 'containers')
  const stack = state.stacks.get(name)
  if (stack === undefined)
    return (
      <>
        <PageHead title={name} over={<a href={to('apps')}>Applications</a>} />
        <Empty>{state.host.size === 0 ? 'Loading…' : 'There is no such application (any more).'}</Empty>
      </>
    )
  const shown = stackShown(stack.state)
  const remove = async () => {
    await http.json('DELETE', `/glovebox/v1/stacks/${encodeURIComponent(name)}`)
    location.hash = to('apps')
  }
  return (
    <>
      <PageHead
        title={name}
        over={
          <>
            <a href={to('apps')}>Applications</a> · revision {stack.revision} · {stack.directory}
          </>
        }
      >
        <Badge tone={shown.tone}>{shown.text}</Badge>
        <Action
          title="Remove"
          role="admin"
          isDangerous
          confirm={`All containers and networks of ${name} are removed. Its volumes stay.`}
          done={`${name} is removed`}
          run={remove}
        />
      </PageHead>
      {stack.state !== 'ready' && <Why name={name} />}
      {stack.services.map((service) => (
        <ServicePanel key={service.name} stack={name} service={service} state={state} />
      ))}
      {stack.volumes.length > 0 && (
        <Panel title="Volumes">
          <ul class="lines">
            {stack.volumes.map((volume) => (
              <li key={volume}>
                <code>{volume}</code>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  )
}

interface ServicePanelProps {
  readonly stack: string
  readonly service: StackService
  readonly state: LiveState
}

function ServicePanel({ stack, service, state }: ServicePanelProps): JSX.Element {
  const known = [...state.services.values()].find((one) => one.stack === stack && one.name === `${stack}_${service.name}`)
  const shown = known === undefined ? stackServiceShown(service.state) : serviceShown(known)
  return (
    <Panel
      title={service.name}
      aside={
        <span class="checks">
          <span>{shortImage(service.image)}</span>
          <span>
            {service.readyReplicas} of {service.desiredReplicas} ready
          </span>
          <Badge tone={shown.tone}>{shown.text}</Badge>
          {known !== undefined && <a href={to('services', known.name)}>Rollouts and tasks</a>}
        </span>
      }
    >
      {service.whyNotYet !== null && <p class="why-not">{service.whyNotYet}</p>}
      <ul class="lines">
        {service.urls.map((url) => (
          <li key={url}>
            <span class="soft">answers at</span>
            <a href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          </li>
        ))}
        {service.tasks.map((task) => (
          <li key={task.name}>
            {task.containerId === null ? (
              <b>{task.name}</b>
            ) : (
              <a class="subject" href={to('containers', task.containerId)}>
                {task.name}
              </a>
            )}
            <TaskBadge of={task} />
            {task.restarts > 0 && <span class="soft">started again {task.restarts} times</span>}
            {task.message !== null && <span class="text">{task.message}</span>}
          </li>
        ))}
      </ul>
      {service.tasks.length === 0 && service.urls.length === 0 && <Empty>It has no tasks.</Empty>}
    </Panel>
  )
}

function TaskBadge({ of: { state, health } }: { readonly of: StackTask }): JSX.Element {
  if (health === 'unhealthy') return <Badge tone="bad">unhealthy</Badge>
  if (state === 'running')
    return <Badge tone={health === 'starting' ? 'busy' : 'good'}>{health === 'none' ? 'running' : health}</Badge>
  return <Badge tone={['failed', 'rejected', 'exited', 'dead'].includes(state) ? 'warn' : 'busy'}>{state}</Badge>
}
