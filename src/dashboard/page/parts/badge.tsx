import type { ComponentChildren, JSX } from 'preact'

import { Icon } from './icons.tsx'

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

const SHAPES = { good: 'good', bad: 'bad', warn: 'warn' } as const

/** A state in words, with a colour and a shape: none of the three stands alone. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }): JSX.Element {
  return (
    <span class={`badge ${tone}`}>
      {tone === 'busy' ? <span class="ring" /> : tone === 'idle' ? <span class="dash" /> : <Icon name={SHAPES[tone]} size={11} />}
      {children}
    </span>
  )
}
