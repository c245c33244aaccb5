import { hash } from 'node:crypto'

import { bytesOfText, EMPTY_BYTES, type TarEntry } from '#oci/tar'

import { indexArchive } from './context-index.ts'
import { buildError } from './errors.ts'
import type { GitSource, RemoteSources } from './remote/index.ts'

export interface FakePage {
  readonly body: Buffer | string
  readonly etag?: string
  readonly lastModified?: string
}

export interface FakeCommit {
  readonly commit: string
  readonly files: Readonly<Record<string, string>>
}

/** The world outside in memory. */
export interface FakeRemote extends RemoteSources {
  readonly pages: Map<string, FakePage>
  /** By remote, then by ref; `HEAD` where none is asked for. */
  readonly repositories: Map<string, Record<string, FakeCommit>>
  /** What was asked, and whether bytes came. */
  readonly asked: string[]
}

export function fakeRemote(): FakeRemote {
  const pages: FakeRemote['pages'] = new Map()
  const repositories: FakeRemote['repositories'] = new Map()
  const asked: string[] = []
  const at = (source: GitSource) => {
    const refs = repositories.get(source.remote) ?? {}
    const found = refs[source.ref ?? 'HEAD'] ?? Object.values(refs).find(({ commit }) => commit === source.ref)
    if (found === undefined) throw buildError('build.remote_failed', `${source.remote} has no ${source.ref ?? 'HEAD'}`)
    return found
  }
  return {
    pages,
    repositories,
    asked,
    download: async (source, _options, into, known) => {
      const page = pages.get(source.url)
      if (page === undefined) throw buildError('build.remote_failed', `${source.url} answers with the status 404`)
      const { etag = '', lastModified = '' } = page
      if (known !== undefined && known.etag === etag && etag !== '') {
        asked.push(`304 ${source.url}`)
        return undefined
      }
      asked.push(`200 ${source.url}`)
      const body = Buffer.from(page.body)
      const sha256 = hash('sha256', body, 'hex')
      if (source.sha256 !== undefined && source.sha256 !== sha256)
        throw buildError('build.checksum_mismatch', `${source.url} is sha256:${sha256}`)
      await into.append(body)
      return { sha256, sizeBytes: body.length, etag, lastModified, mtimeS: Math.floor(Date.parse(lastModified) / 1000) || 0 }
    },
    commitOf: async (source) => {
      const { commit } = at(source)
      asked.push(`commit ${source.remote}`)
      if (source.commitPrefix !== undefined && !commit.startsWith(source.commitPrefix))
        throw buildError('build.checksum_mismatch', `${source.remote} is at ${commit}`)
      return await Promise.resolve(commit)
    },
    checkOut: async (source, commit, _options, into) => {
      asked.push(`clone ${source.remote}`)
      const prefix = source.subdir === '' ? '' : `${source.subdir}/`
      const entries: TarEntry[] = []
      const digests = new Map<TarEntry, string>()
      const files = source.keepsGitDirectory ? { ...at(source).files, '.git/HEAD': `${commit}\n` } : at(source).files
      for (const [path, text] of Object.entries(files)) {
        if (!path.startsWith(prefix)) continue
        const body = Buffer.from(text)
        const entry: TarEntry = {
          path: bytesOfText(path.slice(prefix.length)),
          type: 'file',
          mode: 0o644,
          uid: 0,
          gid: 0,
          size: body.length,
          mtimeS: 0,
          mtimeNs: 0,
          linkname: EMPTY_BYTES,
          devMajor: 0,
          devMinor: 0,
          xattrs: [],
          dataOffset: into.sizeBytes,
          headerOffset: 0,
        }
        await into.append(body)
        entries.push(entry)
        digests.set(entry, hash('sha256', body, 'hex'))
      }
      return indexArchive(entries, (entry) => digests.get(entry) ?? '')
    },
  }
}
