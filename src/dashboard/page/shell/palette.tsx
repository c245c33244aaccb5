import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import { useApp, useLive } from '../base/app-context.ts'
import type { LiveState } from '../base/live-state.ts'
import { to } from '../base/place.ts'
import { may } from '../base/session.ts'
import { Dialog } from '../parts/dialog.tsx'
import { matches } from '../parts/search-field.tsx'
import { SECTIONS } from './sections.ts'

interface Found {
  readonly key: string
  readonly title: string
  readonly kind: string
  readonly href: string
}

/** More than one reads. */
const MAX_FOUND = 40

/** Finds whatever has a name, and goes there. */
export function Palette({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { session } = useApp()
  const state = useLive('containers', 'stacks', 'services', 'routes')
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState(0)
  const sections = SECTIONS.flatMap((group) => group.sections)
    .filter(({ role }) => role === undefined || may(session.who.get(), role))
    .map(({ key, title }) => ({ key: `page ${key}`, title, kind: 'page', href: to(...(key === '' ? [] : [key])) }))
  const found = [...sections, ...thingsOf(state)]
    .filter(({ title, kind }) => matches(`${title} ${kind}`, words))
    .slice(0, MAX_FOUND)
  const at = Math.min(chosen, found.length - 1)
  const go = (one: Found | undefined) => {
    if (one === undefined) return
    onClose()
    location.hash = one.href
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter') go(found[at])
    else if (event.key === 'ArrowDown') setChosen(Math.min(found.length - 1, at + 1))
    else if (event.key === 'ArrowUp') setChosen(Math.max(0, at - 1))
    else return
    event.preventDefault()
  }
  return (
    <Dialog label="Find" isTop onClose={onClose}>
      <div class="palette" onKeyDown={onKey}>
        <input
          type="text"
          role="combobox"
          aria-label="Find a page, an application, a service, a container or a route"
          aria-expanded="true"
          aria-controls="found"
          aria-activedescendant={found[at] === undefined ? undefined : `found-${at}`}
          placeholder="Find a page, an application, a container…"
          autocomplete="off"
          spellcheck={false}
          value={words}
          onInput={(event) => {
            setWords(event.currentTarget.value)
            setChosen(0)
          }}
        />
        <ul id="found" role="listbox" aria-label="Found">
          {found.map((one, index) => (
            <li
              key={one.key}
              id={`found-${index}`}
              role="option"
              aria-selected={index === at}
              ref={(item) => (index === at ? item?.scrollIntoView({ block: 'nearest' }) : undefined)}
              onClick={() => go(one)}
            >
              {one.title} <span class="soft">{one.kind}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="empty">Nothing has that name.</p>}
      </div>
    </Dialog>
  )
}

function thingsOf({ stacks, services, containers, routes }: LiveState): readonly Found[] {
  return [
    ...[...stacks.keys()].map((name) => ({ key: `stack ${name}`, title: name, kind: 'application', href: to('apps', name) })),
    ...[...services.values()].map(({ id, name }) => ({ key: id, title: name, kind: 'service', href: to('services', name) })),
    ...[...containers.values()].map(({ id, name }) => ({ key: id, title: name, kind: 'container', href: to('containers', id) })),
    ...[...routes.keys()].map((id) => ({ key: `route ${id}`, title: id, kind: 'route', href: to('routes', id) })),
  ]
}
