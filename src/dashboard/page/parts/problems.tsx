import type { JSX } from 'preact'

import type { Problem } from '../base/problems.ts'
import { Badge } from './badge.tsx'

export function Problems({ of }: { readonly of: readonly Problem[] }): JSX.Element {
  return (
    <ul class="lines problems">
      {of.map(({ id, tone, subject, text, link }) => (
        <li key={id}>
          <Badge tone={tone}>{tone === 'bad' ? 'broken' : 'watch'}</Badge>
          <a class="subject" href={link}>
            {subject}
          </a>
          <span class="text">{text}</span>
        </li>
      ))}
    </ul>
  )
}
