import type { JSX } from 'preact'

import type { Diagnosis, WhyReport } from '#api/glovebox'

import { show, useAsked } from './loaded.tsx'
import { Badge } from './badge.tsx'
import { Empty, Panel } from './panel.tsx'

const EVERY_MS = 5000

/** Why something is not as wanted: what is wrong, what that was seen by, and what to do. */
export function Why({ name }: { readonly name: string }): JSX.Element {
  return (
    <Panel title="Why">
      <WhyList name={name} />
    </Panel>
  )
}

export function WhyList({ name }: { readonly name: string }): JSX.Element {
  const loaded = useAsked<WhyReport>(`/glovebox/v1/why?name=${encodeURIComponent(name)}`, EVERY_MS)
  return show(loaded, ({ diagnoses, summary, left }) =>
    diagnoses.length === 0 ? (
      <Empty>{summary}</Empty>
    ) : (
      <ul class="lines why">
        {diagnoses.map((diagnosis) => (
          <Reason key={`${diagnosis.code} ${diagnosis.sentence}`} of={diagnosis} />
        ))}
        {left > 0 && <li class="soft">and {left} more</li>}
      </ul>
    ),
  )
}

/** What stands in backticks is a command. */
function withCode(text: string): readonly (string | JSX.Element)[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))
}

const TONES = { failure: 'bad', warning: 'warn', note: 'idle' } as const

function Reason({ of: { severity, sentence, evidence, advice, code } }: { readonly of: Diagnosis }): JSX.Element {
  return (
    <li>
      <Badge tone={TONES[severity]}>{severity}</Badge>
      <div class="reason">
        <p>
          <b>{sentence}</b>
        </p>
        {evidence.length > 0 && <pre>{evidence.join('\n')}</pre>}
        {advice !== '' && <p>{withCode(advice)}</p>}
        <small class="soft">{code}</small>
      </div>
    </li>
  )
}
