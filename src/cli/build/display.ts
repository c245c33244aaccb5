import type { Clock } from '#base'

import type { Paint } from '../output/colour.ts'
import { widthOf } from '../output/colour.ts'
import type { Sink } from '../output/terminal.ts'
import { frame } from './frame.ts'
import { plainLines } from './plain.ts'
import { afterNews, newBuild, type BuildNews, type BuildView } from './view.ts'

export type ProgressMode = 'auto' | 'plain' | 'tty' | 'quiet' | 'rawjson'

/** Shows builds as they go. Dispose of it at the end, however that comes: the terminal is left as a program should leave it. */
export interface BuildDisplay extends Disposable {
  /** Another build; `title` is empty for one alone. */
  add(title: string): BuildTrack
}

export interface BuildTrack {
  tell(news: BuildNews): void
  readonly view: () => BuildView
}

export interface DisplayOptions {
  readonly sink: Sink
  readonly paint: Paint
  readonly clock: Clock
  readonly mode: ProgressMode
}

/** Often enough for the eye, seldom enough for the processor. */
const REDRAW_MS = 100

export function buildDisplay(options: DisplayOptions): BuildDisplay {
  const mode = options.mode === 'auto' ? (options.sink.isTty ? 'tty' : 'plain') : options.mode
  const builds: BuildView[] = []
  const writer = WRITERS[mode](options, builds)
  return {
    add: (title) => {
      const at = builds.push(newBuild(title, options.clock.monotonicMs())) - 1
      const view = () => builds[at] as BuildView
      const tell = (news: BuildNews) => {
        const nowMs = options.clock.monotonicMs()
        const build = afterNews(view(), news, nowMs)
        builds[at] = build
        writer.told(build, news, nowMs)
      }
      return { tell, view }
    },
    [Symbol.dispose]: () => writer.end(),
  }
}

interface Writer {
  told(build: BuildView, news: BuildNews, nowMs: number): void
  end(): void
}

const WRITERS: Readonly<
  Record<Exclude<ProgressMode, 'auto'>, (options: DisplayOptions, builds: readonly BuildView[]) => Writer>
> = {
  quiet: () => ({ told: () => undefined, end: () => undefined }),
  plain: ({ sink }) => {
    const plain = plainLines()
    const told: Writer['told'] = (build, news, nowMs) => {
      const lines = plain.take(build, news, nowMs)
      if (lines.length > 0) sink.write(`${lines.join('\n')}\n`)
    }
    return { told, end: () => undefined }
  },
  rawjson: ({ sink, clock }) => ({
    told: (build, news) => {
      const time = new Date(clock.nowMs()).toISOString()
      sink.write(`${JSON.stringify({ time, ...(build.title === '' ? {} : { build: build.title }), ...news })}\n`)
    },
    end: () => undefined,
  }),
  tty: redrawn,
}

function redrawn({ sink, paint, clock }: DisplayOptions, builds: readonly BuildView[]): Writer {
  let drawn: readonly string[] = []
  let timer: Disposable | undefined
  let isOver = false
  /** A terminal that takes nothing (Ctrl-S) is drawn on again when it does. */
  let isFull = false
  const draw = (isFinal: boolean) => {
    const { columns, rows } = sink
    const lines = frame(builds, { nowMs: clock.monotonicMs(), columns, rows, isFinal, paint })
    // A terminal that became narrower has broken the lines that are there: they take more rows than were drawn.
    const taken = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / Math.max(1, columns))), 0)
    const up = Math.min(taken, rows - 1)
    isFull = !sink.write(`${up > 0 ? `\u001b[${up}A` : ''}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`)
    drawn = lines
    if (isFull) void sink.drained?.().then(() => (isFull = false))
  }
  const later = () => {
    timer ??= clock.after(REDRAW_MS, () => {
      timer = undefined
      if (isOver) return
      if (!isFull) draw(false)
      later()
    })
  }
  return {
    // What is over in a moment is drawn once.
    told: later,
    end: () => {
      timer?.[Symbol.dispose]()
      if (!isOver && builds.some(({ total, imageId }) => total > 0 || imageId !== undefined)) draw(true)
      isOver = true
    },
  }
}
