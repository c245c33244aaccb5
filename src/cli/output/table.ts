import { charWidth, widthOf } from './colour.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const GAP = '   '

/** Aligned columns under their titles; no spaces at line ends. Ends with a line feed. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map((column) => column.title), ...rows]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => widthOf(line[i] ?? ''))))
  return lines
    .map((line) =>
      columns
        .map((column, i) => pad(line[i] ?? '', widths[i] ?? 0, column.align ?? 'left'))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** `name   value` lines, values aligned; a value of several lines is indented below itself. */
export function renderFields(fields: readonly (readonly [string, string])[], indent = ''): string {
  const width = Math.max(0, ...fields.map(([name]) => widthOf(name)))
  return fields
    .map(([name, value]) => {
      const [first = '', ...rest] = value.split('\n')
      const below = rest.map((line) => `${indent}${' '.repeat(width + 2)}${line}\n`).join('')
      return `${`${indent}${pad(name, width, 'left')}  ${first}`.trimEnd()}\n${below}`
    })
    .join('')
}

export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

/** Cuts at `width` columns with an ellipsis. Text without colours only. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let cut = ''
  let used = 0
  for (const char of text) {
    used += charWidth(char)
    if (used > width - 1) break
    cut += char
  }
  return width < 1 ? '' : `${cut}…`
}

/** Breaks at spaces so that no line is wider than `width`, except a word that is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
