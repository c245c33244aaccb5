import type { ComponentChildren, JSX } from 'preact'

import { useApp, useLive } from '../base/app-context.ts'
import { bytes, count, figure, percent } from '../base/format.ts'
import type { LiveState } from '../base/live-state.ts'
import { to } from '../base/place.ts'
import { problemsOf } from '../base/problems.ts'
import { serviceShown, stackShown } from '../base/tones.ts'
import { Badge } from '../parts/badge.tsx'
import { EventLines } from '../parts/event-lines.tsx'
import { Meter } from '../parts/meter.tsx'
import { Empty, PageHead, Panel } from '../parts/panel.tsx'
import { Problems } from '../parts/problems.tsx'
import { Sparkline } from '../parts/sparkline.tsx'

/** The house at a glance. */
export function Overview(): JSX.Element {
  const state = useLive('containers', 'stacks', 'services', 'routes', 'nodes', 'host', 'events')
  const problems = problemsOf(state)
  const worst = problems.filter(({ tone }) => tone === 'bad').length
  return (
    <>
      <PageHead title={headline(worst, problems.length)} over={state.host.get('self')?.name ?? ''} />
      <Tiles state={state} />
      {problems.length > 0 && (
        <Panel title="What is not as it should be">
          <Problems of={problems} />
        </Panel>
      )}
      <div class="columns">
        <Applications state={state} />
        <Panel title="What happened last" aside={<a href={to('events')}>All events</a>}>
          <EventLines events={[...state.events.values()].slice(-9).toReversed()} />
        </Panel>
      </div>
    </>
  )
}

function headline(broken: number, all: number): string {
  if (broken > 0) return broken === 1 ? 'One thing is broken' : `${broken} things are broken`
  return all === 0 ? 'All is well' : 'Well, with something to watch'
}

function Tile({
  title,
  href,
  value,
  children,
}: {
  readonly title: string
  readonly href: string
  readonly value: ComponentChildren
  readonly children?: ComponentChildren
}): JSX.Element {
  return (
    <a class="tile" href={href}>
      <span class="name">{title}</span>
      <span class="value">{value}</span>
      {children}
    </a>
  )
}

function Tiles({ state }: { readonly state: LiveState }): JSX.Element {
  const { hosts } = useApp().live
  const host = state.host.get('self')
  const containers = [...state.containers.values()]
  const running = containers.filter((container) => container.state === 'running').length
  const alone = [...state.services.values()].filter(({ stack }) => stack === null)
  const apps = state.stacks.size + alone.length
  const ready =
    [...state.stacks.values()].filter((stack) => stack.state === 'ready').length +
    alone.filter((service) => serviceShown(service).tone === 'good').length
  const rates = [...state.routes.values()].flatMap((route) => route.rates)
  const requests = rates.reduce((sum, { requestsPerS }) => sum + requestsPerS, 0)
  const errors = rates.reduce((sum, { requestsPerS, errorRatio }) => sum + requestsPerS * errorRatio, 0)
  const memory = host === undefined ? null : 1 - host.memoryAvailableBytes / host.memoryBytes
  const disk = host === undefined ? null : 1 - host.diskFreeBytes / host.diskBytes
  return (
    <div class="tiles">
      <Tile title="Applications ready" href={to('apps')} value={<Of part={ready} whole={apps} />} />
      <Tile title="Containers running" href={to('containers')} value={<Of part={running} whole={containers.length} />} />
      <Tile
        title="Requests"
        href={to('routes')}
        value={
          <>
            {figure(requests)}
            <small>/s</small>
          </>
        }
      >
        <span class="note">{requests === 0 ? 'no traffic' : `${percent(errors / requests)} errors`}</span>
      </Tile>
      <Tile title="Processor" href={to('nodes')} value={percent(host?.busy ?? null)}>
        <Sparkline values={hosts.map(({ busy }) => busy)} most={1} label="Processor, the last minutes" />
      </Tile>
      <Tile title="Memory" href={to('nodes')} value={percent(memory)}>
        <Meter part={memory} label="Memory in use" />
        <span class="note">{host === undefined ? '' : `${bytes(host.memoryAvailableBytes)} free`}</span>
      </Tile>
      <Tile title="Disk" href={to('storage')} value={percent(disk)}>
        <Meter part={disk} label="Disk in use" />
        <span class="note">{host === undefined ? '' : `${bytes(host.diskFreeBytes)} free`}</span>
      </Tile>
    </div>
  )
}

function Of({ part, whole }: { readonly part: number; readonly whole: number }): JSX.Element {
  return (
    <>
      {count(part)}
      <small> of {count(whole)}</small>
    </>
  )
}

/** Of a great house the ones that are named first are not the ones that matter: the list page has them all. */
const MAX_LINES = 12

function Applications({ state }: { readonly state: LiveState }): JSX.Element {
  const stacks = [...state.stacks.values()].map((stack) => ({
    key: stack.name,
    href: to('apps', stack.name),
    shown: stackShown(stack.state),
    note: `${stack.services.reduce((sum, { readyReplicas }) => sum + readyReplicas, 0)} of ${stack.services.reduce((sum, { desiredReplicas }) => sum + desiredReplicas, 0)} tasks`,
    url: stack.services.flatMap(({ urls }) => urls)[0],
  }))
  const services = [...state.services.values()]
    .filter(({ stack }) => stack === null)
    .map((service) => ({
      key: service.name,
      href: to('services', service.name),
      shown: serviceShown(service),
      note: `${service.readyTasks} of ${service.desiredTasks} tasks`,
      url: undefined,
    }))
  const lines = [...stacks, ...services].toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return (
    <Panel title="Applications" aside={<a href={to('apps')}>All {lines.length}</a>}>
      {lines.length === 0 ? (
        <Empty>
          None yet. <code>glovebox up</code> starts one from a Compose file.
        </Empty>
      ) : (
        <ul class="lines">
          {lines.slice(0, MAX_LINES).map(({ key, href, shown, note, url }) => (
            <li key={key}>
              <a class="subject" href={href}>
                {key}
              </a>
              <Badge tone={shown.tone}>{shown.text}</Badge>
              <span class="soft">{note}</span>
              {url !== undefined && (
                <a class="end" href={url} target="_blank" rel="noreferrer">
                  {url.replace(/^https?:\/\//, '')}
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
