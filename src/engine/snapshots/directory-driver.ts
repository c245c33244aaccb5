import { closeSync, lstatSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { systemCodeOf } from '#base'
import { packTar } from '#oci/tar'

import type { LayerDriver } from './driver.ts'
import { membersOfTree } from './members.ts'
import { TREE_DIRECTORY } from './paths.ts'
import { syncFileSystem, unpackConfined } from './unpack.ts'

/** For kernels that cannot mount a tar: the layer as a directory tree, written by a process that sees nothing but the target. */
export function directoryDriver(): LayerDriver {
  return {
    kind: 'directory',
    build: async ({ tree, tarPath, directory }) => {
      const target = join(directory, TREE_DIRECTORY)
      const jail = join(directory, 'jail')
      mkdirSync(target, { mode: 0o700 })
      mkdirSync(jail, { mode: 0o700 })
      const fd = openSync(tarPath, 'r')
      try {
        await unpackConfined({ archive: Readable.from(packTar(membersOfTree(tree, fd)), { objectMode: false }), target, jail })
      } finally {
        closeSync(fd)
      }
      rmSync(jail, { recursive: true, force: true })
      await syncFileSystem(target)
      return { indexBytes: 0 }
    },
    attach: (directory, target) => {
      if (isLink(target)) return
      symlinkSync(join(directory, TREE_DIRECTORY), target)
    },
    detach: (target) => rmSync(target, { force: true }),
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false
    throw error
  }
}
