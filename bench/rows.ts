/** One line of the table. */
export interface Row {
  readonly what: string
  readonly subject: string
  readonly median: number
  readonly min: number
  readonly p90: number
  readonly unit: 'ms' | 'MB' | 'KB' | '%' | '/s' | 'nodes'
  readonly runs: number
  /** Against what the bar names; null where there is none. */
  readonly ratio: { readonly to: string; readonly value: number; readonly bar: number } | null
}

export function printRows(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.what,
    row.subject,
    figure(row.median),
    figure(row.min),
    figure(row.p90),
    row.unit,
    String(row.runs),
    row.ratio === null
      ? ''
      : `${row.ratio.value.toFixed(3)} of ${row.ratio.to} (bar ${row.ratio.bar.toFixed(3)}) ${row.ratio.value <= row.ratio.bar ? 'met' : 'MISSED'}`,
  ])
  const all = [['what', 'subject', 'median', 'min', 'p90', 'unit', 'runs', 'against'], ...cells]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of all)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}
