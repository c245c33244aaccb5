import type { JSX } from 'preact'

import type { LiveEvent } from '#dashboard/wire'

import { shortId } from '../base/format.ts'
import { to } from '../base/place.ts'
import { Ago } from './ago.tsx'
import { Empty } from './panel.tsx'

export function EventLines({ events }: { readonly events: readonly LiveEvent[] }): JSX.Element {
  if (events.length === 0) return <Empty>Nothing has happened since the daemon began.</Empty>
  return (
    <ul class="lines events">
      {events.map((event) => (
        <li key={event.number}>
          <span class="what">
            {event.type} {event.action}
          </span>
          <EventSubject event={event} />
          <span class="soft note">{event.note}</span>
          <span class="soft end nowrap">
            <Ago atMs={event.atMs} />
          </span>
        </li>
      ))}
    </ul>
  )
}

export function EventSubject({ event }: { readonly event: LiveEvent }): JSX.Element {
  const name = event.name === '' ? shortId(event.id) : event.name
  return event.type === 'container' ? <a href={to('containers', event.id)}>{name}</a> : <span>{name}</span>
}
