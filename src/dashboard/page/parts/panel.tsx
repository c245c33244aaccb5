import type { ComponentChildren, JSX } from 'preact'

/** A part of a page under a heading of its own. */
export function Panel({
  title,
  aside,
  children,
}: {
  readonly title: string
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}

/** The top of a page. */
export function PageHead({
  title,
  over,
  children,
}: {
  readonly title: string
  readonly over?: ComponentChildren
  readonly children?: ComponentChildren
}): JSX.Element {
  return (
    <header class="page-head">
      <div class="titles">
        {over !== undefined && <div class="over">{over}</div>}
        <h1 tabIndex={-1}>{title}</h1>
      </div>
      {children !== undefined && <div class="tools">{children}</div>}
    </header>
  )
}

export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>
}

/** Names and values. */
export function Facts({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
