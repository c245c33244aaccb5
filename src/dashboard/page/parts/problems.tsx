import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { Problem } from '../base/problems.ts'
import { Badge } from './badge.tsx'
import { WhyList } from './why.tsx'

export function Problems({ of }: { readonly of: readonly Problem[] }): JSX.Element {
  return (
    <ul class="lines problems">
      {of.map((problem) => (
        <Line key={problem.id} of={problem} />
      ))}
    </ul>
  )
}

function Line({ of: { tone, subject, text, link, why } }: { readonly of: Problem }): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  return (
    <li>
      <Badge tone={tone}>{tone === 'bad' ? 'broken' : 'watch'}</Badge>
      <a class="subject" href={link}>
        {subject}
      </a>
      <span class="text">{text}</span>
      {why !== null && (
        <button type="button" class="button small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Why?
        </button>
      )}
      {isOpen && why !== null && (
        <div class="whole">
          <WhyList name={why} />
        </div>
      )}
    </li>
  )
}
