import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'

import type { Role, Topic } from '#dashboard/wire'

import type { Http } from './http.ts'
import type { Live } from './live.ts'
import type { LiveState } from './live-state.ts'
import type { Place } from './place.ts'
import { may, type Session } from './session.ts'
import type { Theme } from './theme.ts'
import { useValue, type Value } from './value.ts'

/** What every part of the page may use. */
export interface AppContext {
  readonly http: Http
  readonly session: Session
  readonly live: Live
  readonly theme: Theme
  readonly place: Value<Place>
  readonly notices: Value<readonly Notice[]>
}

export interface Notice {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
}

export const App = createContext<AppContext | null>(null)

export function useApp(): AppContext {
  const app = useContext(App)
  if (app === null) throw new Error('outside of the app')
  return app
}

/** The live state, drawn again when one of the topics has changed. */
export function useLive(...topics: readonly Topic[]): LiveState {
  const { live } = useApp()
  const [, draw] = useState({})
  useEffect(() => live.listen(topics, () => draw({})), [live, topics.join(' ')])
  return live.state
}

export function useMay(role: Role): boolean {
  return may(useValue(useApp().session.who), role)
}
