import { realpathSync } from 'node:fs'

import type { MountEntry } from '#host'

import { containerError } from './errors.ts'

/**
 * Mount events can be passed on only where the source's own mount takes part in that. As with dockerd, what could not work is refused.
 * Errors: `container.mount_invalid`.
 */
export function checkPropagation(source: string, propagation: string, mounts: () => readonly MountEntry[]): void {
  if (!/^r?(?:shared|slave)$/.test(propagation)) return
  const path = realpathSync(source)
  const holding = mounts()
    .filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`))
    // Of several at one place the last lies on top.
    .reduce<MountEntry | undefined>(
      (best, entry) => (entry.target.length >= (best?.target.length ?? 0) ? entry : best),
      undefined,
    )
  const has = (kind: string) => holding?.propagation.some((field) => field.startsWith(`${kind}:`)) === true
  const isShared = propagation.endsWith('shared')
  if (has('shared') || (!isShared && has('master'))) return
  throw containerError(
    'container.mount_invalid',
    `path ${source} is mounted on ${holding?.target ?? '/'} but it is not a ${isShared ? 'shared' : 'shared or slave'} mount`,
    {
      hint: isShared
        ? 'The daemon works in a mount namespace of its own, from which no mount reaches the host: use rslave to see what is mounted on the host later.'
        : 'Make the mount shared on the host first (mount --make-shared) and start the daemon anew.',
    },
  )
}
