const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** One character a value, from nothing to the highest of them; a space where nothing is known. */
export function sparkline(values: readonly (number | null)[]): string {
  const most = values.reduce<number>((highest, value) => Math.max(highest, value ?? 0), 0)
  return values.map((value) => (value === null ? ' ' : barOf(value, most))).join('')
}

function barOf(value: number, most: number): string {
  const step = most <= 0 ? 0 : Math.round((Math.max(0, value) / most) * (BARS.length - 1))
  return BARS[step] ?? BARS[0]
}
