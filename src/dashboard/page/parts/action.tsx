import type { JSX } from 'preact'
import { useState } from 'preact/hooks'

import type { Role } from '#dashboard/wire'

import { useApp, useMay, type AppContext } from '../base/app-context.ts'
import { wordsOf } from '../base/http.ts'
import { Dialog } from './dialog.tsx'

export interface ActionProps {
  readonly title: string
  /** Who may; others do not see it. */
  readonly role: Role
  /** What is asked before; absent: it is done at once. */
  readonly confirm?: string
  readonly isDangerous?: boolean
  readonly isMain?: boolean
  readonly disabled?: boolean
  /** Told when it is done. */
  readonly done: string
  readonly run: () => Promise<unknown>
}

const NOTICE_MS = 6000

/** Something that changes the house. */
export function Action(props: ActionProps): JSX.Element | null {
  const app = useApp()
  const isAllowed = useMay(props.role)
  const [isAsking, setAsking] = useState(false)
  const [isBusy, setBusy] = useState(false)
  if (!isAllowed) return null
  const work = async () => {
    setAsking(false)
    setBusy(true)
    try {
      await props.run()
      notify(app, 'good', props.done)
    } catch (error) {
      notify(app, 'bad', wordsOf(error))
    } finally {
      setBusy(false)
    }
  }
  const tone = props.isDangerous === true ? 'danger' : props.isMain === true ? 'main' : ''
  return (
    <>
      <button
        type="button"
        class={`button ${tone}`}
        disabled={props.disabled === true || isBusy}
        onClick={() => (props.confirm === undefined ? void work() : setAsking(true))}
      >
        {props.title}
      </button>
      {isAsking && (
        <Dialog label={props.title} onClose={() => setAsking(false)}>
          <h2>{props.title}?</h2>
          <p>{props.confirm}</p>
          <div class="buttons">
            <button type="button" class="button" onClick={() => setAsking(false)}>
              Cancel
            </button>
            <button type="button" class={`button ${tone === '' ? 'main' : tone}`} onClick={() => void work()}>
              {props.title}
            </button>
          </div>
        </Dialog>
      )}
    </>
  )
}

/** Says something in the corner for some seconds. */
export function notify({ notices }: AppContext, tone: 'good' | 'bad', text: string): void {
  const id = (notices.get().at(-1)?.id ?? 0) + 1
  notices.set([...notices.get().slice(-3), { id, tone, text }])
  setTimeout(() => notices.set(notices.get().filter((notice) => notice.id !== id)), NOTICE_MS)
}
