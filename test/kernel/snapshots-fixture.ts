import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Digest } from '#base'
import type { Host } from '#host'
import { bytesOfText, TAR_END, tarHeader, tarPadding, type TarEntryInit } from '#oci/tar'

export interface Entry extends Omit<TarEntryInit, 'path' | 'linkname' | 'xattrs' | 'type'> {
  readonly path: string
  readonly type?: TarEntryInit['type']
  readonly linkname?: string
  readonly xattrs?: Readonly<Record<string, string | Buffer>>
  readonly body?: string | Buffer
}

export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, linkname, xattrs, body = '', type = 'file', ...rest }) => {
    const bytes = Buffer.from(body)
    const header = tarHeader({
      mtimeS: 1_700_000_000,
      ...rest,
      path: bytesOfText(path),
      type,
      size: bytes.length,
      ...(linkname === undefined ? {} : { linkname: bytesOfText(linkname) }),
      xattrs: Object.entries(xattrs ?? {}).map(([name, value]) => ({ name: bytesOfText(name), value: Buffer.from(value) })),
    })
    return [header, bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...blocks, TAR_END])
}

export function writeTar(directory: string, tar: Buffer): { readonly diffId: Digest; readonly path: string } {
  const hex = createHash('sha256').update(tar).digest('hex')
  const path = join(directory, `${hex}.tar`)
  writeFileSync(path, tar)
  return { diffId: `sha256:${hex}` as Digest, path }
}

/** Everything that can be seen of a tree, one line a name: type, mode, owner, link count of files, time, device, target, hash, attributes. */
export function describeTree(host: Pick<Host, 'files'>, root: string, options: { readonly withTimes?: boolean } = {}): string[] {
  const inodes = new Map<string, number>()
  const visit = (path: Buffer, name: string): string[] => {
    const stat = lstatSync(path, { bigint: true })
    const facts: string[] = [name, (stat.mode & 0o177777n).toString(8), `${stat.uid}:${stat.gid}`]
    if (options.withTimes !== false) facts.push(String(stat.mtimeNs))
    if (stat.isFile()) facts.push(`size=${stat.size}`, createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16))
    if (stat.isSymbolicLink()) facts.push(`-> ${readlinkSync(path, { encoding: 'latin1' })}`)
    if (stat.isCharacterDevice() || stat.isBlockDevice()) facts.push(`dev=${stat.rdev}`)
    if (!stat.isDirectory() && stat.nlink > 1n) {
      const group = inodes.get(String(stat.ino)) ?? inodes.size
      inodes.set(String(stat.ino), group)
      facts.push(`links=${stat.nlink} group=${group}`)
    }
    facts.push(...xattrsOf(host, path))
    if (!stat.isDirectory()) return [facts.join(' ')]
    const names = readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare)
    return [
      facts.join(' '),
      ...names.flatMap((child) => visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`)),
    ]
  }
  return visit(Buffer.from(root), '')
}

function xattrsOf(host: Pick<Host, 'files'>, path: Buffer): string[] {
  const text = path.toString('utf8')
  if (!Buffer.from(text).equals(path)) return []
  return host.files
    .llistxattr(text)
    .filter((name) => !/^trusted\.overlay\.(origin|impure|nlink|uuid)$/.test(name) && name !== 'security.selinux')
    .toSorted()
    .map((name) => `${name}=${host.files.lgetxattr(text, name)?.toString('hex')}`)
}
