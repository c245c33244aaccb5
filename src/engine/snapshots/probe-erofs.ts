import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { messageOf } from '#base'
import type { Host } from '#host'
import { erofsIndex, readLayer } from '#oci/erofs'
import { bytesOfText, TAR_END, tarHeader, tarPadding } from '#oci/tar'

/** Mounts a layer of one file and reads it back. Gives the problem, or undefined when all went well. Leaves nothing behind. */
export function probeErofs(host: Pick<Host, 'mounts'>, directory: string): string | undefined {
  const place = mkdtempSync(join(directory, '.tmp-probe-'))
  const paths = { index: join(place, 'index'), tar: join(place, 'tar'), target: join(place, 'mount') }
  const body = Buffer.from('born from its tarball')
  const entry = { path: bytesOfText('file'), type: 'file', size: body.length } as const
  const tar = Buffer.concat([tarHeader(entry), body, tarPadding(body.length), TAR_END])
  try {
    mkdirSync(paths.target)
    writeFileSync(paths.tar, tar)
    const tree = readLayer((buffer, position) => tar.copy(buffer, 0, position), tar.length)
    writeFileSync(paths.index, Buffer.concat([...erofsIndex(tree, { contentBytes: tar.length, identity: '0'.repeat(64) })]))
    host.mounts.erofs({ index: paths.index, devices: [paths.tar], target: paths.target })
    return readFileSync(join(paths.target, 'file')).equals(body) ? undefined : 'the file read back is not the one written'
  } catch (error) {
    return messageOf(error)
  } finally {
    host.mounts.unmount(paths.target, { lazy: true })
    rmSync(place, { recursive: true, force: true })
  }
}
