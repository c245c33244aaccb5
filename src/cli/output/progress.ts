import { printable, type Paint } from './colour.ts'
import type { Sink } from './terminal.ts'
import { truncate } from './table.ts'

/** Work in several items. On a terminal one line each, redrawn in place; else a line whenever the state of an item changes. */
export interface Progress {
  /** `detail` moves without being worth a line of its own in a log. */
  update(item: string, state: string, detail?: string): void
  /** Something about an item that may be gone in a moment: on a terminal in its line, else a line of its own. */
  tell(item: string, text: string): void
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

export function progress(sink: Sink, paint: Paint): Progress {
  return sink.isTty ? redrawn(sink, paint) : lineByLine(sink)
}

function lineByLine(sink: Sink): Progress {
  const states = new Map<string, string>()
  return {
    update: (item, state) => {
      if (states.get(item) === state) return
      states.set(item, state)
      sink.write(`${printable(item)}: ${printable(state)}\n`)
    },
    tell: (item, text) => void sink.write(`${printable(item)}: ${printable(text)}\n`),
    note: (text) => void sink.write(`${printable(text)}\n`),
    finish: () => states.clear(),
  }
}

function redrawn(sink: Sink, paint: Paint): Progress {
  const items = new Map<string, Item>()
  let drawn = 0
  const clear = () => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '')
  const draw = (above = '') => {
    const shown = [...items].slice(-Math.max(1, sink.rows - 2))
    const width = Math.max(0, ...shown.map(([name]) => name.length))
    const lines = shown.map(([name, item]) => itemLine(name, item, width, sink.columns, paint))
    sink.write(`${clear()}${above}${lines.map((line) => `${line}\n`).join('')}`)
    drawn = lines.length
  }
  return {
    update: (item, state, detail = '') => {
      if (!items.has(item) && items.size >= MAX_ITEMS) return
      items.set(item, { state, detail })
      draw()
    },
    tell: (item, text) => {
      const known = items.get(item)
      if (known !== undefined) items.set(item, { ...known, detail: text })
      draw()
    },
    note: (text) => draw(`${printable(text)}\n`),
    finish: () => {
      items.clear()
      drawn = 0
    },
  }
}

function itemLine(name: string, item: Item, width: number, columns: number, paint: Paint): string {
  const head = printable(name).padEnd(width)
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
