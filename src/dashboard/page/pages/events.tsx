import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { LiveEvent } from '#dashboard/wire'

import { useLive, useMay } from '../base/app-context.ts'
import { clockTime } from '../base/format.ts'
import { to } from '../base/place.ts'
import { History } from '../parts/history.tsx'
import { PageHead } from '../parts/panel.tsx'
import { matches, SearchField } from '../parts/search-field.tsx'
import { Table, type Column } from '../parts/table.tsx'

/** What happened, as it happens; and who changed services, for those who may know. */
export function Events(): JSX.Element {
  const { events } = useLive('events')
  const [words, setWords] = useState('')
  const isOperator = useMay('operator')
  const rows = [...events.values()]
    .filter((event) => words === '' || matches(`${event.type} ${event.action} ${event.name} ${event.note} ${event.id}`, words))
    .toReversed()
  return (
    <>
      <PageHead title="Events" over={`the last ${events.size} of the engine`}>
        <SearchField label="Find an event" value={words} onInput={setWords} />
      </PageHead>
      <div class="panel">
        <Table
          label="Events"
          rows={rows}
          columns={COLUMNS}
          rowKey={({ number }) => String(number)}
          href={hrefOf}
          empty="Nothing like that has happened since the daemon began."
        />
      </div>
      {isOperator && <History service={null} />}
    </>
  )
}

function hrefOf({ type, id }: LiveEvent): string {
  if (type === 'container') return to('containers', id)
  return type === 'image' || type === 'volume' ? to('storage') : to('events')
}

const COLUMNS: readonly Column<LiveEvent>[] = [
  { key: 'time', title: 'Time', width: '84px', cell: ({ atMs }) => clockTime(atMs) },
  { key: 'what', title: 'What', width: 'minmax(120px, 1fr)', cell: ({ type, action }) => `${type} ${action}` },
  { key: 'subject', title: 'Of', width: 'minmax(110px, 1.4fr)', cell: ({ name, id }) => (name === '' ? id.slice(0, 24) : name) },
  { key: 'note', title: 'With', width: 'minmax(100px, 1.6fr)', cell: ({ note }) => note, isExtra: true },
]
