import type { JSX } from 'preact'

import type { SessionView } from '#dashboard/wire'

import { useApp, useLive } from '../base/app-context.ts'
import { problemsOf } from '../base/problems.ts'
import { to } from '../base/place.ts'
import { may } from '../base/session.ts'
import { useValue } from '../base/value.ts'
import { Icon } from '../parts/icons.tsx'
import { Mark } from './brand.tsx'
import { SECTIONS } from './sections.ts'

export interface SideProps {
  readonly who: SessionView
  readonly isOpen: boolean
  readonly onSearch: () => void
}

const THEME_ICON = { system: 'auto', light: 'sun', dark: 'moon' } as const

export function Side({ who, isOpen, onSearch }: SideProps): JSX.Element {
  const { place, session, theme } = useApp()
  const current = sectionOf(useValue(place).parts[0] ?? '')
  const themeName = useValue(theme.name)
  const counts = useCounts()
  return (
    <aside class={`side${isOpen ? ' open' : ''}`} aria-label="The house">
      <a class="brand" href="#/">
        <Mark />
        <span>
          Glovebox
          <small>{who.host}</small>
        </span>
      </a>
      <button type="button" class="quick" onClick={onSearch}>
        <Icon name="search" /> Find <kbd>/</kbd>
      </button>
      <nav aria-label="Sections">
        {SECTIONS.map((group) => (
          <div key={group.title}>
            <h2>{group.title}</h2>
            <ul>
              {group.sections
                .filter(({ role }) => role === undefined || may(who, role))
                .map(({ key, title, icon }) => (
                  <li key={key}>
                    <a href={to(...(key === '' ? [] : [key]))} aria-current={key === current ? 'page' : undefined}>
                      <Icon name={icon} /> {title}
                      {counts[key] !== undefined && <span class={`count ${counts[key].tone}`}>{counts[key].text}</span>}
                    </a>
                  </li>
                ))}
            </ul>
          </div>
        ))}
      </nav>
      <div class="foot">
        <div class="who">
          <span>
            <a href={to('account')}>{who.user}</a>
            <br />
            <span class="soft">{who.role}</span>
          </span>
          <span>
            <button
              type="button"
              class="icon-button"
              title={`Colours: ${themeName}`}
              aria-label={`Colours: ${themeName}`}
              onClick={theme.next}
            >
              <Icon name={THEME_ICON[themeName]} />
            </button>
            <button
              type="button"
              class="icon-button"
              title="Sign out"
              aria-label="Sign out"
              onClick={() => void session.signOut()}
            >
              <Icon name="out" />
            </button>
          </span>
        </div>
      </div>
    </aside>
  )
}

function sectionOf(part: string): string {
  return part === 'services' ? 'apps' : part
}

interface Count {
  readonly text: string
  readonly tone: '' | 'bad'
}

function useCounts(): Readonly<Record<string, Count>> {
  const state = useLive('containers', 'stacks', 'services', 'routes', 'host', 'nodes')
  const problems = problemsOf(state).filter(({ tone }) => tone === 'bad').length
  const count = (value: number): Count => ({ text: String(value), tone: '' })
  return {
    ...(problems === 0 ? {} : { '': { text: String(problems), tone: 'bad' as const } }),
    containers: count([...state.containers.values()].filter(({ state: one }) => one === 'running').length),
    apps: count(state.stacks.size + [...state.services.values()].filter(({ stack }) => stack === null).length),
    routes: count(state.routes.size),
  }
}
