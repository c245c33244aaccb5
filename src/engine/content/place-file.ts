import { link, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

import { systemCodeOf } from '#base'

import { writeFailure } from './errors.ts'
import { syncDirectory } from './writer.ts'

/** Puts a whole file in its place, flushed to the disk. Another that came first stays: its bytes are the same. */
export async function placeFile(path: string, place: string, how: 'move' | 'link'): Promise<void> {
  try {
    const file = await open(path, 'r')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
    if (how === 'move') await rename(path, place)
    else await link(path, place).catch(unlessThere)
    await syncDirectory(dirname(place))
  } catch (error) {
    throw writeFailure(`put ${path} into the store`, error)
  }
}

function unlessThere(error: unknown): void {
  if (systemCodeOf(error) !== 'EEXIST') throw error
}
