import type { JSX } from 'preact'

import type { LiveContainer } from '#dashboard/wire'

import { useApp, useLive, useMay } from '../base/app-context.ts'
import { duration, shortId, shortImage } from '../base/format.ts'
import { to } from '../base/place.ts'
import { containerShown } from '../base/tones.ts'
import { Action } from '../parts/action.tsx'
import { useNow } from '../parts/ago.tsx'
import { Badge } from '../parts/badge.tsx'
import { Empty, PageHead } from '../parts/panel.tsx'
import { Tabs } from '../parts/tabs.tsx'
import { Anatomy } from './anatomy.tsx'
import { ContainerFigures } from './container-figures.tsx'
import { ContainerLog } from './container-log.tsx'
import { Terminal } from './terminal.tsx'

export function Container({ id, part }: { readonly id: string; readonly part: string }): JSX.Element {
  const { containers } = useLive('containers')
  const mayWork = useMay('operator')
  const container = containers.get(id) ?? [...containers.values()].find(({ name }) => name === id)
  if (container === undefined)
    return (
      <>
        <PageHead title={shortId(id)} over={<a href={to('containers')}>Containers</a>} />
        <Empty>{containers.size === 0 ? 'Loading…' : 'There is no such container (any more).'}</Empty>
      </>
    )
  const tab = (key: string, title: string) => ({
    key,
    title,
    href: to('containers', container.id, ...(key === 'anatomy' ? [] : [key])),
  })
  const tabs = [
    tab('anatomy', 'Anatomy'),
    tab('logs', 'Log'),
    tab('figures', 'Figures'),
    ...(mayWork ? [tab('terminal', 'Terminal')] : []),
  ]
  return (
    <>
      <Head container={container} />
      <Tabs label="Parts of the container" tabs={tabs} current={part} />
      {part === 'logs' ? (
        <ContainerLog container={container} />
      ) : part === 'figures' ? (
        <ContainerFigures container={container} />
      ) : part === 'terminal' && mayWork ? (
        <Terminal container={container} />
      ) : (
        <Anatomy container={container} />
      )}
    </>
  )
}

function Head({ container }: { readonly container: LiveContainer }): JSX.Element {
  const { http } = useApp()
  const now = useNow()
  const { tone, text } = containerShown(container)
  const { id, name, state, stack } = container
  const path = `/docker/containers/${id}`
  const isUp = state === 'running' || state === 'paused'
  const post = (verb: string) => async () => await http.json('POST', `${path}/${verb}`)
  const owned = stack === null ? '' : ' It belongs to an application, which will start it again.'
  return (
    <PageHead
      title={name}
      over={
        <>
          <a href={to('containers')}>Containers</a>
          {stack !== null && (
            <>
              {' · '}
              <a href={to('apps', stack)}>{stack}</a>
            </>
          )}
          {' · '}
          {shortImage(container.image)}
        </>
      }
    >
      <Badge tone={tone}>{text}</Badge>
      {isUp && <span class="soft">up {duration(now - Date.parse(container.startedAt))}</span>}
      {!isUp && <Action title="Start" role="operator" done={`${name} is started`} run={post('start')} />}
      {isUp && (
        <Action
          title="Restart"
          role="operator"
          confirm={`${name} is stopped and started again.`}
          done={`${name} is restarted`}
          run={post('restart')}
        />
      )}
      {isUp && (
        <Action
          title="Stop"
          role="operator"
          confirm={`${name} is stopped.${owned}`}
          done={`${name} is stopped`}
          run={post('stop')}
        />
      )}
      {!isUp && (
        <Action
          title="Remove"
          role="admin"
          isDangerous
          confirm={`${name} and what it wrote are removed for good.${owned}`}
          done={`${name} is removed`}
          run={async () => {
            await http.json('DELETE', path)
            location.hash = to('containers')
          }}
        />
      )}
    </PageHead>
  )
}
