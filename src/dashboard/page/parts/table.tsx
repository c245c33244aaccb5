import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export interface Column<R> {
  readonly key: string
  readonly title: string
  /** A track of CSS grid: `2fr`, `90px`. */
  readonly width: string
  readonly cell: (row: R) => ComponentChildren
  /** What to sort by; absent: it cannot be sorted by. */
  readonly sort?: (row: R) => string | number
  readonly isNumber?: boolean
  /** Left out where the page is narrow. */
  readonly isExtra?: boolean
}

export interface TableProps<R> {
  readonly label: string
  readonly rows: readonly R[]
  readonly columns: readonly Column<R>[]
  readonly rowKey: (row: R) => string
  /** The first column becomes a link, and the row with it. */
  readonly href?: (row: R) => string
  readonly sortedBy?: string
  readonly empty: ComponentChildren
}

const ROW_PX = 40
/** Rows above and below what is seen: the next one that the keyboard goes to is always there. */
const OVERSCAN = 10

/** A table of thousands of rows, of which those are drawn that are seen. */
export function Table<R>(props: TableProps<R>): JSX.Element {
  const { rows, columns, label, empty } = props
  const [order, setOrder] = useState<{ readonly key: string; readonly isDown: boolean }>({
    key: props.sortedBy ?? '',
    isDown: false,
  })
  const body = useRef<HTMLDivElement>(null)
  const range = useSeenRange(body, rows.length)
  const sorted = sortRows(rows, columns, order)
  const wide = columns.map(({ width }) => width).join(' ')
  const narrow = columns
    .filter(({ isExtra }) => isExtra !== true)
    .map(({ width }) => width)
    .join(' ')
  const sortBy = (key: string) => setOrder({ key, isDown: order.key === key ? !order.isDown : false })
  return (
    <div
      class="table"
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={{ '--wide': wide, '--narrow': narrow }}
    >
      <div role="rowgroup" class="head">
        <div role="row" class="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Heading key={column.key} column={column} order={order} onSort={() => sortBy(column.key)} />
          ))}
        </div>
      </div>
      {rows.length === 0 ? (
        <div role="rowgroup">
          <div role="row" class="none">
            <div role="cell">{empty}</div>
          </div>
        </div>
      ) : (
        <div role="rowgroup" class="body" ref={body} style={{ height: `${rows.length * ROW_PX}px` }} onKeyDown={moveByKey}>
          {sorted.slice(range.from, range.to).map((row, at) => (
            <Row key={props.rowKey(row)} row={row} index={range.from + at} {...props} />
          ))}
        </div>
      )}
    </div>
  )
}

function Heading<R>({
  column,
  order,
  onSort,
}: {
  readonly column: Column<R>
  readonly order: { readonly key: string; readonly isDown: boolean }
  readonly onSort: () => void
}): JSX.Element {
  const isSorted = order.key === column.key
  const arrow = (
    <span aria-hidden="true" class="arrow">
      {isSorted ? (order.isDown ? '▾' : '▴') : ''}
    </span>
  )
  const sort = isSorted ? (order.isDown ? 'descending' : 'ascending') : 'none'
  return (
    <div role="columnheader" class={cellClass(column)} aria-sort={column.sort === undefined ? undefined : sort}>
      {column.sort === undefined ? (
        column.title
      ) : (
        <button type="button" class="plain" onClick={onSort}>
          {column.isNumber === true && arrow}
          {column.title}
          {column.isNumber !== true && arrow}
        </button>
      )}
    </div>
  )
}

function Row<R>({ row, index, columns, href }: TableProps<R> & { readonly row: R; readonly index: number }): JSX.Element {
  return (
    <div role="row" class="row" aria-rowindex={index + 2} style={{ transform: `translateY(${index * ROW_PX}px)` }}>
      {columns.map((column, at) => (
        <div key={column.key} role="cell" class={cellClass(column)}>
          {at === 0 && href !== undefined ? (
            <a class="row-link" data-index={index} href={href(row)}>
              {column.cell(row)}
            </a>
          ) : (
            column.cell(row)
          )}
        </div>
      ))}
    </div>
  )
}

function cellClass<R>({ isNumber, isExtra }: Column<R>): string {
  return `cell${isNumber === true ? ' number' : ''}${isExtra === true ? ' extra' : ''}`
}

function sortRows<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  { key, isDown }: { readonly key: string; readonly isDown: boolean },
): readonly R[] {
  const by = columns.find((column) => column.key === key)?.sort
  if (by === undefined) return rows
  const keyed = rows.map((row) => ({ row, value: by(row) }))
  keyed.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) * (isDown ? -1 : 1))
  return keyed.map(({ row }) => row)
}

/** Arrows go from row to row, as in a list. */
function moveByKey(event: KeyboardEvent): void {
  const step = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0
  const { target, currentTarget } = event
  if (step === 0 || !(target instanceof HTMLElement) || !(currentTarget instanceof HTMLElement)) return
  const index = Number(target.dataset['index'])
  const next = currentTarget.querySelector<HTMLElement>(`[data-index="${index + step}"]`)
  if (next === null) return
  event.preventDefault()
  next.focus()
}

interface Range {
  readonly from: number
  readonly to: number
}

/** Which rows are within the window, with some more. */
function useSeenRange(body: { readonly current: HTMLElement | null }, length: number): Range {
  const [range, setRange] = useState<Range>({ from: 0, to: 40 })
  useEffect(() => {
    let frame = 0
    const look = () => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top ?? 0
      const from = Math.max(0, Math.floor(-top / ROW_PX) - OVERSCAN)
      const to = Math.ceil((innerHeight - top) / ROW_PX) + OVERSCAN
      setRange((before) => (before.from === from && before.to === to ? before : { from, to }))
    }
    const later = () => {
      frame ||= requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', later, { passive: true, capture: true })
    addEventListener('resize', later)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', later, { capture: true })
      removeEventListener('resize', later)
    }
  }, [body, length])
  return range
}
