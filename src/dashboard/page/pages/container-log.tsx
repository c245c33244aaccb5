import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { LiveContainer } from '#dashboard/wire'

import { useApp } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { logReader, type LogLine } from '../base/log-lines.ts'
import { Empty } from '../parts/panel.tsx'
import { LogView } from '../parts/log-view.tsx'
import { matches, SearchField } from '../parts/search-field.tsx'

/** As many as one scrolls through; older ones are a command away. */
const MAX_LINES = 5000
const FIRST_LINES = 1000
/** A program that writes without end must not have the page drawn for each line. */
const DRAW_EVERY_MS = 100

export function ContainerLog({ container }: { readonly container: LiveContainer }): JSX.Element {
  const [words, setWords] = useState('')
  const [streams, setStreams] = useState({ stdout: true, stderr: true })
  const { lines, refusal } = useLog(container)
  if (!container.canReadLog) return <Empty>This container keeps no log (log driver none).</Empty>
  const found = lines.filter(({ stream, text }) => streams[stream] && (words === '' || matches(text, words)))
  const toggle = (stream: 'stdout' | 'stderr') => (
    <label class="check">
      <input type="checkbox" checked={streams[stream]} onChange={() => setStreams({ ...streams, [stream]: !streams[stream] })} />{' '}
      {stream}
    </label>
  )
  return (
    <div class="panel log-panel">
      <header>
        <SearchField label="Find in the log" value={words} onInput={setWords} />
        <div class="aside checks">
          {!container.hasTty && toggle('stdout')}
          {!container.hasTty && toggle('stderr')}
          <span>
            {found.length} lines{lines.length >= MAX_LINES ? ', the latest' : ''}
          </span>
        </div>
      </header>
      {refusal !== '' && <p class="refusal">{refusal}</p>}
      <LogView lines={found} label={`Log of ${container.name}`} />
    </div>
  )
}

function useLog({ id, hasTty, startedAt, canReadLog }: LiveContainer): {
  readonly lines: readonly LogLine[]
  readonly refusal: string
} {
  const { http } = useApp()
  const [lines, setLines] = useState<readonly LogLine[]>([])
  const [refusal, setRefusal] = useState('')
  useEffect(() => {
    if (!canReadLog) return undefined
    const gone = new AbortController()
    let kept: LogLine[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const draw = () => {
      timer = undefined
      setLines(kept)
    }
    const read = async () => {
      const response = await http.open(
        `/docker/containers/${id}/logs?stdout=1&stderr=1&timestamps=1&follow=1&tail=${FIRST_LINES}`,
        gone.signal,
      )
      const parse = logReader(hasTty)
      const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const more = parse(next.value)
        if (more.length === 0) continue
        kept = [...kept, ...more].slice(-MAX_LINES)
        timer ??= setTimeout(draw, DRAW_EVERY_MS)
      }
    }
    read().catch((error: unknown) => (gone.signal.aborted ? undefined : setRefusal(wordsOf(error))))
    return () => {
      gone.abort()
      clearTimeout(timer)
    }
    // A container that was started again goes on in the same log, which the stream before has ended with.
  }, [id, startedAt])
  return { lines, refusal }
}
