import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { LiveContainer } from '#dashboard/wire'

import { useApp, useLive } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { logReader, type LogLine } from '../base/log-lines.ts'
import { LogView } from '../parts/log-view.tsx'
import { Empty, PageHead } from '../parts/panel.tsx'

/** Each is read on its own; more at once than this make the daemon read its disk for one page. */
const MAX_CONTAINERS = 30
const AT_ONCE = 4
const MAX_LINES = 5000
const TAILS = [200, 1000, 5000] as const

interface Found {
  readonly lines: readonly LogLine[]
  readonly looked: number
  readonly refusal: string
}

/** Looks for words in the logs of many containers at once. */
export function Logs(): JSX.Element {
  const { http } = useApp()
  const { containers, stacks } = useLive('containers', 'stacks')
  const [stack, setStack] = useState('')
  const [words, setWords] = useState('')
  const [isPattern, setPattern] = useState(false)
  const [tail, setTail] = useState<number>(TAILS[1])
  const [found, setFound] = useState<Found | null>(null)
  const [isBusy, setBusy] = useState(false)
  const readable = [...containers.values()].filter((one) => one.canReadLog && (stack === '' || one.stack === stack))
  const look = async (event: Event) => {
    event.preventDefault()
    const test = tester(words, isPattern)
    if (typeof test === 'string') return setFound({ lines: [], looked: 0, refusal: test })
    setBusy(true)
    const chosen = readable.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).slice(0, MAX_CONTAINERS)
    const waiting = [...chosen]
    const lines: LogLine[] = []
    let refusal = ''
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { name } = next
        try {
          lines.push(
            ...(await linesOf(next, tail, async (path) => await http.open(path, AbortSignal.timeout(30_000)))).filter(
              ({ text }) => test(text),
            ),
          )
        } catch (error) {
          refusal = `${name}: ${wordsOf(error)}`
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const inTime = lines.toSorted((a, b) => (a.time < b.time ? -1 : 1)).slice(-MAX_LINES)
    setFound({ lines: inTime, looked: chosen.length, refusal })
    setBusy(false)
  }
  return (
    <>
      <PageHead title="Logs" />
      <form class="panel pad form log-form" onSubmit={(event) => void look(event)}>
        <label class="field wide">
          Lines with
          <input
            type="search"
            value={words}
            spellcheck={false}
            autocomplete="off"
            placeholder="any words"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={isPattern} onChange={() => setPattern(!isPattern)} /> as a regular expression
        </label>
        <label class="field">
          Of
          <select value={stack} onChange={(event) => setStack(event.currentTarget.value)}>
            <option value="">all containers</option>
            {[...stacks.keys()].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Looking through
          <select value={tail} onChange={(event) => setTail(Number(event.currentTarget.value))}>
            {TAILS.map((lines) => (
              <option key={lines} value={lines}>
                the last {lines} lines of each
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button main" disabled={isBusy}>
          {isBusy ? 'Looking…' : 'Look'}
        </button>
      </form>
      {found === null ? (
        <Empty>
          {readable.length} {readable.length === 1 ? 'container keeps' : 'containers keep'} a log
          {readable.length > MAX_CONTAINERS ? `; the ${MAX_CONTAINERS} that were started last are looked through` : ''}.
        </Empty>
      ) : (
        <div class="panel log-panel">
          <header>
            <h2>
              {found.lines.length} lines of {found.looked} containers
            </h2>
          </header>
          {found.refusal !== '' && <p class="refusal">{found.refusal}</p>}
          <LogView lines={found.lines} label="Lines found" />
        </div>
      )}
    </>
  )
}

/** A text: what is wrong with the expression. */
function tester(words: string, isPattern: boolean): ((text: string) => boolean) | string {
  if (!isPattern) {
    const low = words.toLowerCase()
    return (text) => text.toLowerCase().includes(low)
  }
  try {
    const pattern = new RegExp(words, 'i')
    return (text) => pattern.test(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function linesOf(
  { id, name, hasTty }: LiveContainer,
  tail: number,
  open: (path: string) => Promise<Response>,
): Promise<readonly LogLine[]> {
  const response = await open(`/docker/containers/${id}/logs?stdout=1&stderr=1&timestamps=1&tail=${tail}`)
  const lines = logReader(hasTty)(new Uint8Array(await response.arrayBuffer()))
  return lines.map((line) => ({ ...line, source: name }))
}
