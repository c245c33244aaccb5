import type { JSX } from 'preact'

const WIDTH = 100
const HEIGHT = 24

/** A little curve of the last minutes. `most`: what the top stands for; without it the greatest of the values. */
export function Sparkline({
  values,
  most,
  label,
}: {
  readonly values: readonly (number | null)[]
  readonly most?: number
  readonly label: string
}): JSX.Element {
  const known = values.filter((value) => value !== null)
  const top = Math.max(most ?? 0, ...known, Number.MIN_VALUE)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.flatMap((value, at) =>
    value === null ? [] : [`${(at * step).toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`],
  )
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {points.length > 1 && (
        <>
          <polygon points={`${points[0]?.split(',')[0] ?? 0},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
          <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
        </>
      )}
    </svg>
  )
}
