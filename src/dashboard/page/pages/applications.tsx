import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import { useLive } from '../base/app-context.ts'
import { shortImage } from '../base/format.ts'
import type { LiveState } from '../base/live-state.ts'
import { to } from '../base/place.ts'
import { serviceShown, stackShown, type Shown } from '../base/tones.ts'
import { Badge } from '../parts/badge.tsx'
import { PageHead } from '../parts/panel.tsx'
import { matches, SearchField } from '../parts/search-field.tsx'
import { Table, type Column } from '../parts/table.tsx'

interface Row {
  readonly key: string
  readonly href: string
  readonly kind: 'application' | 'service'
  readonly shown: Shown
  readonly ready: number
  readonly wanted: number
  readonly what: string
  readonly url: string | undefined
}

/** Applications, and services that stand alone. */
export function Applications(): JSX.Element {
  const state = useLive('stacks', 'services')
  const [words, setWords] = useState('')
  const all = rowsOf(state)
  const rows = all.filter(({ key, what }) => words === '' || matches(`${key} ${what}`, words))
  return (
    <>
      <PageHead title="Applications" over={`${rows.length} of ${all.length}`}>
        <SearchField label="Find an application" value={words} onInput={setWords} />
      </PageHead>
      <div class="panel">
        <Table
          label="Applications"
          rows={rows}
          columns={COLUMNS}
          rowKey={({ kind, key }) => `${kind} ${key}`}
          href={({ href }) => href}
          sortedBy="name"
          empty={
            <>
              There is none yet. <code>glovebox up</code> starts one from a Compose file.
            </>
          }
        />
      </div>
    </>
  )
}

function rowsOf({ stacks, services }: LiveState): readonly Row[] {
  const ofStacks = [...stacks.values()].map((stack): Row => ({
    key: stack.name,
    href: to('apps', stack.name),
    kind: 'application',
    shown: stackShown(stack.state),
    ready: stack.services.reduce((sum, { readyReplicas }) => sum + readyReplicas, 0),
    wanted: stack.services.reduce((sum, { desiredReplicas }) => sum + desiredReplicas, 0),
    what: stack.services.map(({ name }) => name).join(', '),
    url: stack.services.flatMap(({ urls }) => urls)[0],
  }))
  const alone = [...services.values()]
    .filter(({ stack }) => stack === null)
    .map((service): Row => ({
      key: service.name,
      href: to('services', service.name),
      kind: 'service',
      shown: serviceShown(service),
      ready: service.readyTasks,
      wanted: service.desiredTasks,
      what: shortImage(service.image),
      url: undefined,
    }))
  return [...ofStacks, ...alone]
}

const COLUMNS: readonly Column<Row>[] = [
  { key: 'name', title: 'Name', width: 'minmax(86px, 1.2fr)', cell: ({ key }) => key, sort: ({ key }) => key },
  {
    key: 'state',
    title: 'State',
    width: '132px',
    cell: ({ shown }) => <Badge tone={shown.tone}>{shown.text}</Badge>,
    sort: ({ shown }) => shown.text,
  },
  {
    key: 'tasks',
    title: 'Tasks ready',
    width: '96px',
    cell: ({ ready, wanted }) => `${ready} of ${wanted}`,
    sort: ({ ready, wanted }) => ready - wanted,
    isNumber: true,
  },
  { key: 'what', title: 'Services', width: 'minmax(140px, 2fr)', cell: ({ what }) => what, isExtra: true },
  {
    key: 'url',
    title: 'Address',
    width: 'minmax(120px, 1fr)',
    cell: ({ url }) =>
      url === undefined ? (
        <span class="soft">–</span>
      ) : (
        <a href={url} target="_blank" rel="noreferrer">
          {url.replace(/^https?:\/\//, '')}
        </a>
      ),
    isExtra: true,
  },
]
