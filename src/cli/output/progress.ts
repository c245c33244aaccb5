import { printable, type Paint, widthOf } from './colour.ts'
import type { Sink } from './terminal.ts'
import { pad, truncate } from './table.ts'

/** Work in several items. On a terminal one line each, redrawn in place; elsewhere (a log, a pipe) sentences, and few of them. */
export interface Progress {
  /** How an item is doing, for its line on a terminal. Elsewhere nothing: it may change many times a second. */
  update(item: string, state: string, detail?: string): void
  /** A sentence for where there is no terminal; on one, the items' lines tell. */
  say(sentence: string): void
  /** Writes a line above the items. */
  note(text: string): void
  /** Leaves the lines as they are and goes on below. */
  finish(): void
}

interface Item {
  readonly state: string
  readonly detail: string
}

/** More lines than a screen cannot be redrawn; what is above stays as it was last. */
const MAX_ITEMS = 200

export function progress(sink: Sink, paint: Paint, isQuiet = false): Progress {
  if (isQuiet) return { update: () => undefined, say: () => undefined, note: () => undefined, finish: () => undefined }
  return sink.isTty ? redrawn(sink, paint) : lineByLine(sink)
}

function lineByLine(sink: Sink): Progress {
  let last = ''
  const line = (text: string) => {
    if (text !== last) sink.write(`${printable(text)}\n`)
    last = text
  }
  return { update: () => undefined, say: line, note: line, finish: () => undefined }
}

function redrawn(sink: Sink, paint: Paint): Progress {
  const items = new Map<string, Item>()
  let drawn = 0
  let before = ''
  const clear = () => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '')
  const draw = (above = '') => {
    const shown = [...items].slice(-Math.max(1, sink.rows - 2))
    const width = Math.max(0, ...shown.map(([name]) => widthOf(printable(name))))
    const lines = shown.map(([name, item]) => `${itemLine(name, item, width, sink.columns, paint)}\n`)
    const text = lines.join('')
    // Bytes arrive by the hundred a second, and most of them change no character.
    if (text === before && above === '') return
    sink.write(`${clear()}${above}${text}`)
    drawn = lines.length
    before = text
  }
  return {
    update: (item, state, detail = '') => {
      if (!items.has(item) && items.size >= MAX_ITEMS) return
      items.set(item, { state, detail })
      draw()
    },
    say: () => undefined,
    note: (text) => draw(`${printable(text)}\n`),
    finish: () => {
      items.clear()
      drawn = 0
      before = ''
    },
  }
}

function itemLine(name: string, item: Item, width: number, columns: number, paint: Paint): string {
  const head = pad(printable(name), width, 'left')
  const text = truncate(
    printable(item.detail === '' ? item.state : `${item.state}  ${item.detail}`),
    Math.max(10, columns - width - 3),
  )
  const colour = /^(healthy|ready|done|built|present|removed)/.test(text) ? 'green' : /^(failed|error)/.test(text) ? 'red' : 'dim'
  return ` ${paint('bold', head)}  ${paint(colour, text)}`
}

/** `[=====>    ] 42%` for a known total, else nothing. */
export function bar(current: number, total: number, width = 20): string {
  if (total <= 0) return ''
  const share = Math.min(1, Math.max(0, current / total))
  const full = Math.round(share * width)
  return `[${'='.repeat(full)}${' '.repeat(width - full)}] ${String(Math.round(share * 100)).padStart(3)}%`
}
