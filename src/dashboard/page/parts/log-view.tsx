import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

import type { LogLine } from '../base/log-lines.ts'
import { Empty } from './panel.tsx'

const LINE_PX = 20
const OVERSCAN = 30
/** Nearer to the end than this is at the end. */
const NEAR_PX = 40

/** Lines of a log, the youngest at the bottom. Stays there while one is there, and stays where one has scrolled to. */
export function LogView({ lines, label }: { readonly lines: readonly LogLine[]; readonly label: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  const [isFollowing, setFollowing] = useState(true)
  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [lines, isFollowing])
  useEffect(() => setHeight(box.current?.clientHeight ?? 600), [])
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {}
    setTop(scrollTop)
    setHeight(clientHeight)
    setFollowing(scrollHeight - scrollTop - clientHeight < NEAR_PX)
  }
  const from = Math.max(0, Math.floor(top / LINE_PX) - OVERSCAN)
  const to = Math.ceil((top + height) / LINE_PX) + OVERSCAN
  if (lines.length === 0) return <Empty>No lines.</Empty>
  return (
    <div class="log-box">
      <div class="log" ref={box} tabIndex={0} role="log" aria-label={label} aria-live="off" onScroll={onScroll}>
        <div style={{ height: `${lines.length * LINE_PX}px` }}>
          <div style={{ transform: `translateY(${from * LINE_PX}px)` }}>
            {lines.slice(from, to).map((line) => (
              <div key={`${line.source ?? ''}${line.number}`} class={`line ${line.stream}`}>
                <time dateTime={line.time} title={line.time}>
                  {line.time.slice(11, 23)}
                </time>
                {line.source !== undefined && <span class="source">{line.source}</span>}
                <span class="text">{line.text}</span>
              </div>
            ))}
          </div>
        </div>
      </div>
      {!isFollowing && (
        <button type="button" class="button to-end" onClick={() => setFollowing(true)}>
          To the end
        </button>
      )}
    </div>
  )
}
