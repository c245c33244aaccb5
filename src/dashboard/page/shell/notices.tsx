import type { JSX } from 'preact'

import { useApp } from '../base/app-context.ts'
import { useValue } from '../base/value.ts'

export function Notices(): JSX.Element {
  const notices = useValue(useApp().notices)
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map(({ id, tone, text }) => (
        <div key={id} class={tone}>
          {text}
        </div>
      ))}
    </div>
  )
}
