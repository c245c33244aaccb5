import { resolveUser, type HeldFiles } from '#engine/containers'

import { startConfined, type ConfinedNeeds } from './confined.ts'
import { isPathMissing } from './failure.ts'
import { decodeEntry, FRAME } from './frames.ts'
import { MAX_DATABASE_BYTES } from './limits.ts'

/** Who the container's processes are, looked up in its own files; null: root, or nobody in particular. Errors: `container.user_unknown`. */
export async function containerOwner(
  needs: ConfinedNeeds,
  files: HeldFiles,
): Promise<{ readonly uid: number; readonly gid: number } | null> {
  const { user } = files.record.spec.process
  if (user === '') return null
  const [passwd, group] = await Promise.all([textOf(needs, files, '/etc/passwd'), textOf(needs, files, '/etc/group')])
  const { uid, gid } = resolveUser(user, [], { passwd, group })
  return { uid, gid }
}

/** Empty when there is no such file, or one that is no database. */
async function textOf(needs: ConfinedNeeds, files: HeldFiles, path: string): Promise<string> {
  using confined = startConfined(needs, files, { verb: 'get', path })
  const pieces: Buffer[] = []
  try {
    for (let frame = await confined.next(); frame.type !== FRAME.end; frame = await confined.next()) {
      if (frame.type === FRAME.entry && (decodeEntry(frame.payload).size ?? 0) > MAX_DATABASE_BYTES) return ''
      if (frame.type === FRAME.bytes) pieces.push(Buffer.from(frame.payload))
    }
  } catch (error) {
    if (isPathMissing(error)) return ''
    throw error
  }
  return Buffer.concat(pieces).toString()
}
