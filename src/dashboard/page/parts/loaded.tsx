import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { Empty } from './panel.tsx'

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly words: string }
  | { readonly state: 'there'; readonly value: T }

/** What the daemon answers on a path, asked again every so often, and when `path` changes. What was there stays until the next answer. */
export function useAsked<T>(path: string, everyMs: number | null = null): Loaded<T> {
  const { http } = useApp()
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      try {
        const value = await http.json<T>('GET', path)
        if (!isOver) setLoaded({ state: 'there', value })
      } catch (error) {
        if (!isOver) setLoaded({ state: 'failed', words: wordsOf(error) })
      }
      if (!isOver && everyMs !== null) timer = setTimeout(() => void ask(), everyMs)
    }
    void ask()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [path, everyMs])
  return loaded
}

/** Draws what is there, or why it is not. */
export function show<T>(loaded: Loaded<T>, draw: (value: T) => JSX.Element): JSX.Element {
  if (loaded.state === 'there') return draw(loaded.value)
  return loaded.state === 'failed' ? <p class="refusal">{loaded.words}</p> : <Empty>Loading…</Empty>
}
