import { closeSync, constants, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'

import { systemCodeOf } from '#base'
import type { Host } from '#host'
import { erofsIndex } from '#oci/erofs'

import type { LayerDriver } from './driver.ts'
import { CONTENT_FILE, INDEX_FILE } from './paths.ts'

/** The layer is its tar plus an index of about half a percent of its size; the kernel mounts the two as one file system. */
export function erofsDriver(host: Pick<Host, 'mounts'>): LayerDriver {
  return {
    kind: 'erofs',
    build: async ({ tree, tarPath, contentBytes, identity, directory }) => {
      keepContent(tarPath, join(directory, CONTENT_FILE))
      const fd = openSync(join(directory, INDEX_FILE), 'wx', 0o600)
      let indexBytes = 0
      try {
        for (const piece of erofsIndex(tree, { contentBytes, identity })) {
          indexBytes += piece.length
          writeSync(fd, piece)
          await setImmediate()
        }
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      return { indexBytes }
    },
    attach: (directory, target) => {
      mkdirSync(target, { recursive: true })
      host.mounts.erofs({ index: join(directory, INDEX_FILE), devices: [join(directory, CONTENT_FILE)], target })
    },
    detach: (target) => {
      host.mounts.unmount(target, { lazy: true })
      removeMountPoint(target)
    },
  }
}

/** A second name for the same bytes: the store may drop its own. */
function keepContent(tarPath: string, target: string): void {
  try {
    linkSync(tarPath, target)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error
    copyFileSync(tarPath, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    const fd = openSync(target, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

function removeMountPoint(target: string): void {
  try {
    rmdirSync(target)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
}
