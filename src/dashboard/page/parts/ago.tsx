import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { useApp } from '../base/app-context.ts'
import { duration, fullTime } from '../base/format.ts'

const EVERY_MS = 5000

/** The daemon's time now, and drawn again every few seconds. */
export function useNow(): number {
  const { live } = useApp()
  const [, draw] = useState({})
  useEffect(() => {
    const timer = setInterval(() => draw({}), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return live.nowMs()
}

/** `3 min ago`, with the time itself behind it. */
export function Ago({ atMs }: { readonly atMs: number }): JSX.Element {
  const now = useNow()
  return (
    <time title={fullTime(atMs)} dateTime={new Date(atMs).toISOString()}>
      {duration(now - atMs)} ago
    </time>
  )
}
