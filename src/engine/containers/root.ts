import { closeSync, readFileSync } from 'node:fs'

import type { Digest } from '#base'

import type { Context } from './context.ts'
import { resolveUser, type ResolvedUser } from './users.ts'

/** Mounts the container's root file system; the stack unmounts it if the start fails. */
export function mountRoot(
  context: Context,
  id: string,
  layers: readonly Digest[],
  undo: AsyncDisposableStack,
  { mappingOf, isVolatile = false }: { readonly mappingOf?: number | undefined; readonly isVolatile?: boolean | undefined } = {},
): { readonly path: string } {
  const { rootfs } = context.snapshots.mountContainer({
    id,
    layers,
    isVolatile,
    ...(mappingOf === undefined ? {} : { mappingOf }),
  })
  undo.defer(() => context.snapshots.unmountContainer(id))
  return { path: rootfs }
}

/** passwd and group files larger than this are not user databases. */
const MAX_DATABASE_BYTES = 1024 * 1024

/** Looks the user up in the image's own files, read as a process chrooted there would see them. */
export function userInRoot(context: Context, rootfs: string, user: string, groups: readonly string[]): ResolvedUser {
  const read = (path: string) => readInRoot(context, rootfs, path)
  return resolveUser(user, groups, { passwd: read('/etc/passwd'), group: read('/etc/group') })
}

function readInRoot(context: Context, rootfs: string, path: string): string {
  let fd: number
  try {
    fd = context.host.files.openInRoot(rootfs, path)
  } catch {
    return ''
  }
  try {
    return readFileSync(fd).subarray(0, MAX_DATABASE_BYTES).toString()
  } catch {
    // A directory or a device in its place is as good as none.
    return ''
  } finally {
    closeSync(fd)
  }
}
