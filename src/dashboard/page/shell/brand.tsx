import type { JSX } from 'preact'

/** The mark: a box with two holes for hands. */
export function Mark({ size = 26 }: { readonly size?: number }): JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <rect x="0.5" y="2.5" width="15" height="11" rx="2.5" fill="var(--accent)" />
      <circle cx="5.2" cy="8" r="2.1" fill="var(--on-accent)" />
      <circle cx="10.8" cy="8" r="2.1" fill="var(--on-accent)" />
    </svg>
  )
}
