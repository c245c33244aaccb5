import type { JSX } from 'preact'

const WARN = 0.8
const BAD = 0.92

/** A bar for a part of a whole, from 0 to 1. */
export function Meter({ part, label }: { readonly part: number | null; readonly label: string }): JSX.Element {
  const value = Math.min(1, Math.max(0, part ?? 0))
  const tone = value >= BAD ? 'bad' : value >= WARN ? 'warn' : ''
  return (
    <div
      class={`meter ${tone}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value * 100)}
    >
      <div style={{ width: `${value * 100}%` }} />
    </div>
  )
}
