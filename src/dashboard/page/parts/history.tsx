import type { JSX } from 'preact'

import type { HistoryRecord } from '#api/glovebox'

import { historyWords } from '../base/history-words.ts'
import { to } from '../base/place.ts'
import { Ago } from './ago.tsx'
import { show, useAsked } from './loaded.tsx'
import { Empty, Panel } from './panel.tsx'

const EVERY_MS = 10_000
const LIMIT = 50

/** What happened to a service, or to all of them, and who asked for it. */
export function History({ service }: { readonly service: string | null }): JSX.Element {
  const query = new URLSearchParams({ limit: String(LIMIT), ...(service === null ? {} : { service }) })
  const loaded = useAsked<readonly HistoryRecord[]>(`/glovebox/v1/history?${query}`, EVERY_MS)
  return (
    <Panel title={service === null ? 'History of services' : 'History'}>
      {show(loaded, (records) =>
        records.length === 0 ? (
          <Empty>Nothing has happened yet.</Empty>
        ) : (
          <ul class="lines events">
            {records.map((record) => (
              <li key={record.id}>
                {service === null && <a href={to('services', record.service)}>{record.service}</a>}
                <span class="text">{historyWords(record.event)}</span>
                <span class="soft">{record.by === 'glovebox' ? 'by itself' : `by ${record.by} (${record.from})`}</span>
                <span class="soft end nowrap">
                  <Ago atMs={record.atMs} />
                </span>
              </li>
            ))}
          </ul>
        ),
      )}
    </Panel>
  )
}
