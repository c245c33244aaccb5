import type { JSX } from 'preact'

/** A few words of which one is chosen. */
export function Choice<T extends string>({
  label,
  of,
  value,
  onChoose,
}: {
  readonly label: string
  readonly of: readonly T[]
  readonly value: T
  readonly onChoose: (value: T) => void
}): JSX.Element {
  return (
    <div class="choice" role="group" aria-label={label}>
      {of.map((one) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChoose(one)}>
          {one}
        </button>
      ))}
    </div>
  )
}
