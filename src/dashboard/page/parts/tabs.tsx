import type { JSX } from 'preact'

export interface Tab {
  readonly key: string
  readonly title: string
  readonly href: string
}

/** Links to the parts of one subject. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  readonly label: string
  readonly tabs: readonly Tab[]
  readonly current: string
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ key, title, href }) => (
        <a key={key} href={href} aria-current={key === current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  )
}
