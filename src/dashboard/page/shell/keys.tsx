import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { to } from '../base/place.ts'
import { Dialog } from '../parts/dialog.tsx'
import { SECTIONS } from './sections.ts'

/** `g` and a letter within this time are one. */
const CHORD_MS = 1200

const ALL = SECTIONS.flatMap(({ sections }) => sections)

/** What keys do anywhere on the page. */
export function Keys({ onSearch }: { readonly onSearch: () => void }): JSX.Element | null {
  const [isHelping, setHelping] = useState(false)
  useEffect(() => {
    let goingUntil = 0
    const onKey = (event: KeyboardEvent) => {
      const isCommand = (event.ctrlKey || event.metaKey) && event.key === 'k'
      if (isCommand) {
        event.preventDefault()
        return onSearch()
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (performance.now() < goingUntil) {
        goingUntil = 0
        const section = ALL.find(({ letter }) => letter === event.key)
        if (section !== undefined) location.hash = to(...(section.key === '' ? [] : [section.key]))
        return
      }
      if (event.key === 'g') goingUntil = performance.now() + CHORD_MS
      else if (event.key === '/') {
        event.preventDefault()
        onSearch()
      } else if (event.key === '?') setHelping(true)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [onSearch])
  return isHelping ? <KeyHelp onClose={() => setHelping(false)} /> : null
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest('input, textarea, select, dialog') !== null)
}

function KeyHelp({ onClose }: { readonly onClose: () => void }): JSX.Element {
  return (
    <Dialog label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl class="keys">
        <dt>
          <kbd>/</kbd> or <kbd>Ctrl</kbd> <kbd>K</kbd>
        </dt>
        <dd>Find anything</dd>
        <dt>
          <kbd>↑</kbd> <kbd>↓</kbd>
        </dt>
        <dd>From row to row of a list</dd>
        {ALL.map(({ letter, title }) => (
          <>
            <dt key={letter}>
              <kbd>g</kbd> <kbd>{letter}</kbd>
            </dt>
            <dd>{title}</dd>
          </>
        ))}
      </dl>
      <div class="buttons">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
