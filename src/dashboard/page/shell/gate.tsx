import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { useValue } from '../base/value.ts'
import { Shell } from './shell.tsx'
import { SignIn } from './sign-in.tsx'

/** Asks who is there before anything is shown. */
export function Gate(): JSX.Element | null {
  const { session, live, place } = useApp()
  const who = useValue(session.who)
  const at = useValue(place)
  const [refusal, setRefusal] = useState('')
  const token = at.parts[0] === 'enter' ? at.parts[1] : undefined
  useEffect(() => {
    if (token === undefined) return void session.resume()
    // The link is good once: it has no place in the history.
    history.replaceState(null, '', '#/')
    session.enter(token).catch((error: unknown) => {
      setRefusal(wordsOf(error))
      void session.resume()
    })
    place.set({ parts: [], query: new URLSearchParams() })
  }, [token])
  const isIn = who !== null && who !== undefined
  useEffect(() => {
    if (!isIn) return undefined
    live.start()
    return () => live.stop()
  }, [isIn])
  if (who === undefined) return null
  return who === null ? <SignIn refusal={refusal} /> : <Shell who={who} />
}
