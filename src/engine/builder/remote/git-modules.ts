import { bytesOfText, textOfBytes, type ByteString } from '#oci/tar'

import { buildError } from '../errors.ts'
import { gitSource, type GitRefusals } from './git-address.ts'
import type { FetchOptions, GitSource } from './port.ts'

/** A commit of another repository that stands in a tree. */
export interface GitLink {
  /** In the tree that was taken. */
  readonly path: ByteString
  readonly commit: string
}

export interface Submodule extends GitLink {
  readonly source: GitSource
}

/** What `.gitmodules` says of one path. */
export interface ModuleSettings {
  readonly url: string | undefined
  /** `update = none`: it stays empty. */
  readonly isLeftOut: boolean
}

/** Pure: settings by path, from what `git config --null --list` prints of a `.gitmodules` (gitmodules(5)). The last value of a name counts. */
export function parseModules(listing: Buffer): ReadonlyMap<ByteString, ModuleSettings> {
  const byName = new Map<string, Map<string, string>>()
  for (const line of listing.toString('latin1').split('\0')) {
    const [, name, key, value] = /^submodule\.(.+)\.([a-z]+)\n(.*)$/s.exec(line) ?? []
    if (name === undefined || key === undefined || value === undefined) continue
    const values = byName.get(name) ?? new Map<string, string>()
    byName.set(name, values.set(key, value))
  }
  const byPath = new Map<ByteString, ModuleSettings>()
  for (const values of byName.values()) {
    const path = values.get('path')
    if (path === undefined) continue
    byPath.set(path as ByteString, { url: values.get('url'), isLeftOut: values.get('update') === 'none' })
  }
  return byPath
}

/** Pure: where the repositories of links are. Addresses are read as strictly as those of a Dockerfile. Errors: `build.remote_invalid`, `build.unsupported`. */
export function submodulesOf(
  parent: GitSource,
  links: readonly GitLink[],
  settings: ReadonlyMap<ByteString, ModuleSettings>,
): readonly Submodule[] {
  const prefix = parent.subdir === '' ? '' : `${bytesOfText(parent.subdir)}/`
  return links.flatMap((link) => {
    const found = settings.get(`${prefix}${link.path}` as ByteString)
    if (found?.isLeftOut === true) return []
    const what = `the submodule ${JSON.stringify(textOfBytes(link.path))} of ${parent.remote}`
    if (found?.url === undefined)
      throw buildError('build.remote_invalid', `${what} has no address in .gitmodules`, { hint: LEAVE_OUT })
    return [{ ...link, source: moduleSource(found.url, parent, link.commit, what) }]
  })
}

const LEAVE_OUT = 'Write ?submodules=false to leave submodules out.'

function moduleSource(url: string, parent: GitSource, commit: string, what: string): GitSource {
  const invalid: GitRefusals['invalid'] = (why) =>
    buildError('build.remote_invalid', `${what}: its address ${JSON.stringify(url.slice(0, 200))}: ${why}`, { hint: LEAVE_OUT })
  const unsupported: GitRefusals['unsupported'] = (why) => buildError('build.unsupported', `${what}: ${why}`, { hint: LEAVE_OUT })
  if (/[?#]/.test(url)) throw invalid('it holds a mark that means something else in addresses')
  const address = /^\.\.?\//.test(url) ? relativeTo(parent.remote, url, invalid) : url
  const source = gitSource(address, { checksum: undefined, keepsGitDirectory: false }, { invalid, unsupported })
  return { ...source, ref: commit, hasSubmodules: true }
}

/** As git resolves `./` and `../` against the address of the repository that names them; never past its host. */
function relativeTo(remote: string, url: string, invalid: GitRefusals['invalid']): string {
  const [, head = '', path = ''] = /^([a-z]+:\/\/[^/]+\/)(.*)$/is.exec(remote) ?? /^([^:/]+:)(.*)$/s.exec(remote) ?? []
  const parts = path.split('/').filter((part) => part !== '')
  let rest = url
  for (;;) {
    if (rest.startsWith('./')) rest = rest.slice(2)
    else if (rest.startsWith('../')) {
      rest = rest.slice(3)
      if (parts.pop() === undefined) throw invalid('it leads out of its host')
    } else break
  }
  return `${head}${[...parts, rest].join('/')}`
}

/** What a build knows for everybody is told to the place that its author named, and not to those that a repository names. */
export function optionsForModule(options: FetchOptions, parent: GitSource, module: GitSource): FetchOptions {
  if (originOf(parent.remote) === originOf(module.remote)) return options
  // Over plain HTTP nothing is told that the author did not send there.
  const isTold = (id: string) =>
    !/^GIT_AUTH_(?:TOKEN|HEADER)$/.test(id) && !(module.transport === 'http' && id.startsWith('GIT_AUTH_'))
  const secrets = new Map([...options.secrets].filter(([id]) => isTold(id)))
  return { ...options, secrets }
}

function originOf(remote: string): string {
  const url = URL.parse(remote)
  return url === null ? (/^[^:]*:/.exec(remote)?.[0] ?? remote) : `${url.protocol}//${url.host}`
}
