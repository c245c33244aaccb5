import { lstatSync } from 'node:fs'

import { snapshotError } from './errors.ts'
import { orGone } from './walk.ts'

/** The runtime mounts or writes here before the container is closed off. */
const MOUNT_POINTS = ['dev', 'proc', 'sys', 'etc'] as const

/**
 * A symlink at one of these would lead the runtime's mounts to wherever the image says (CVE-2026-47766 is such a case), so each must be
 * a directory, or absent. `rootfs` is mounted and nobody else can write to it yet. Errors: `snapshot.unsafe_mount_point`.
 */
export function checkMountPoints(rootfs: string): void {
  for (const name of MOUNT_POINTS) {
    const stat = orGone(() => lstatSync(`${rootfs}/${name}`))
    if (stat === undefined || stat.isDirectory()) continue
    const what = stat.isSymbolicLink() ? 'a symlink' : 'not a directory'
    throw snapshotError('snapshot.unsafe_mount_point', `/${name} of the image is ${what}`, {
      hint: 'Build the image with a real directory there.',
      details: { name },
    })
  }
}
