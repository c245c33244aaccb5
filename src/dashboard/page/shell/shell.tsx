import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { SessionView } from '#dashboard/wire'

import { useApp } from '../base/app-context.ts'
import { useValue } from '../base/value.ts'
import { Icon } from '../parts/icons.tsx'
import { Page } from '../pages/page.tsx'
import { Mark } from './brand.tsx'
import { Keys } from './keys.tsx'
import { Notices } from './notices.tsx'
import { Palette } from './palette.tsx'
import { Side } from './side.tsx'

export function Shell({ who }: { readonly who: SessionView }): JSX.Element {
  const { place, live } = useApp()
  const at = useValue(place)
  const connection = useValue(live.connection)
  const [isMenuOpen, setMenuOpen] = useState(false)
  const [isSearching, setSearching] = useState(false)
  const main = useRef<HTMLElement>(null)
  const path = at.parts.join('/')
  useNewPage(main, at.parts.slice(0, 2).join('/'))
  useEffect(() => setMenuOpen(false), [path])
  return (
    <div class="shell">
      <a class="skip" href="#page" onClick={(event) => skip(event, main.current)}>
        Skip to the page
      </a>
      <header class="bar">
        <a class="brand" href="#/">
          <Mark /> {who.host}
        </a>
        <button type="button" class="icon-button" aria-label="Find" onClick={() => setSearching(true)}>
          <Icon name="search" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Menu"
          aria-expanded={isMenuOpen}
          onClick={() => setMenuOpen(!isMenuOpen)}
        >
          <Icon name={isMenuOpen ? 'close' : 'menu'} />
        </button>
      </header>
      <Side who={who} isOpen={isMenuOpen} onSearch={() => setSearching(true)} />
      <main ref={main}>
        {connection === 'lost' && (
          <p class="lost" role="status">
            The daemon does not answer. What is shown may be old; trying again.
          </p>
        )}
        <Page parts={at.parts} />
      </main>
      {isSearching && <Palette onClose={() => setSearching(false)} />}
      <Keys onSearch={() => setSearching(true)} />
      <Notices />
    </div>
  )
}

function skip(event: Event, main: HTMLElement | null): void {
  event.preventDefault()
  main?.querySelector('h1')?.focus()
}

/** A new page begins at its top, and readers of the screen hear its heading. Not at first: the browser has told the page's own title. */
function useNewPage(main: { readonly current: HTMLElement | null }, key: string): void {
  const isFirst = useRef(true)
  useEffect(() => {
    const heading = main.current?.querySelector('h1')
    document.title = `${heading?.textContent ?? 'Overview'} · Glovebox`
    if (!isFirst.current) {
      scrollTo(0, 0)
      heading?.focus()
    }
    isFirst.current = false
  }, [key])
}
