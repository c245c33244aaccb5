import type { ComponentChildren, JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A window over the page; Escape and a click beside it close it. */
export function Dialog({
  label,
  onClose,
  children,
  isTop = false,
}: {
  readonly label: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  /** At the top of the page, for a list that grows. */
  readonly isTop?: boolean
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    return () => shown?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      class={isTop ? 'top' : ''}
      aria-label={label}
      // A browser may close it without asking.
      onClose={onClose}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      <div class="dialog-body">{children}</div>
    </dialog>
  )
}
