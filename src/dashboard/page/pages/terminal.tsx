import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { LiveContainer } from '#dashboard/wire'

import { useApp } from '../base/app-context.ts'
import { Empty } from '../parts/panel.tsx'

/** A shell in the container. The library that draws the terminal is fetched with the first one. */
export function Terminal({ container }: { readonly container: LiveContainer }): JSX.Element {
  const { http, theme } = useApp()
  const box = useRef<HTMLDivElement>(null)
  const [ended, setEnded] = useState<string | null>(null)
  const [turn, setTurn] = useState(0)
  const isUp = container.state === 'running'
  useEffect(() => {
    if (!isUp) return undefined
    let close: (() => void) | undefined
    let isOver = false
    void import('../parts/open-terminal.ts').then(({ openTerminal }) => {
      if (isOver || box.current === null) return
      close = openTerminal(box.current, { container: container.id, proof: http.proof(), isDark: theme.isDark(), onEnd: setEnded })
    })
    return () => {
      isOver = true
      close?.()
    }
  }, [container.id, isUp, turn])
  const again = () => {
    setEnded(null)
    setTurn(turn + 1)
  }
  if (!isUp && ended === null) return <Empty>There is no shell in a container that is {container.state}.</Empty>
  return (
    <div class="panel terminal-panel">
      <div class="terminal-box" ref={box} role="region" aria-label={`Terminal in ${container.name}`} />
      {ended !== null && (
        <p class="terminal-end" role="status">
          {ended}
          <button type="button" class="button" onClick={again}>
            Open another one
          </button>
        </p>
      )}
    </div>
  )
}
