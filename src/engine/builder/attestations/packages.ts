import { bytesOfText } from '#oci/tar'

import type { FileTree } from '../file-tree.ts'
import { resolvePath } from '../resolve-path.ts'

export interface Package {
  readonly kind: 'deb' | 'apk'
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Empty: not said. */
  readonly license: string
  readonly maintainer: string
  /** The source package, where it has another name. */
  readonly source: string
}

export interface InstalledPackages {
  /** As os-release has it: `debian`, `12`. Empty: not said. */
  readonly distribution: { readonly id: string; readonly version: string }
  /** Each once, sorted. */
  readonly packages: readonly Package[]
}

/** Debian's for a desktop has some MB. */
const MAX_DATABASE_BYTES = 64 * 1024 * 1024
/** Packages that images without dpkg list in a file each. */
const MAX_STATUS_FILES = 10_000

/** What the package databases of a root tell: dpkg's, with its directory for images without dpkg, and apk's. What is no database says nothing. */
export async function packagesOf(root: FileTree): Promise<InstalledPackages> {
  const read = async (path: string) => await readText(root, path)
  const singles = await statusFiles(root)
  const texts = [await read('var/lib/dpkg/status'), ...(await Promise.all(singles.map(read)))]
  const found = [...texts.flatMap(dpkgPackages), ...apkPackages(await read('lib/apk/db/installed'))]
  const distinct = new Map(found.map((one) => [`${one.kind} ${one.name} ${one.version} ${one.architecture}`, one]))
  const packages = [...distinct].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  return { distribution: osRelease((await read('etc/os-release')) || (await read('usr/lib/os-release'))), packages }
}

async function statusFiles(root: FileTree): Promise<readonly string[]> {
  const directory = 'var/lib/dpkg/status.d'
  const found = await resolvePath(root, bytesOfText(directory), true).catch(() => undefined)
  if (found?.entry?.type !== 'directory') return []
  const names = (await root.list(found.path)).slice(0, MAX_STATUS_FILES)
  return names.filter((name) => !name.endsWith('.md5sums')).map((name) => `${directory}/${name}`)
}

async function readText(root: FileTree, path: string): Promise<string> {
  const found = await resolvePath(root, bytesOfText(path), true).catch(() => undefined)
  if (found?.entry?.type !== 'file' || found.entry.sizeBytes > MAX_DATABASE_BYTES) return ''
  const chunks: Buffer[] = []
  for await (const chunk of root.read(found.path)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** deb-control(5) paragraphs; what was removed and left its configuration is not installed. */
export function dpkgPackages(text: string): readonly Package[] {
  return paragraphs(text, /^([A-Za-z0-9-]+):[ \t]*(.*)$/).flatMap((fields): readonly Package[] => {
    const name = fields.get('package') ?? ''
    const version = fields.get('version') ?? ''
    const status = fields.get('status')
    if (name === '' || version === '' || (status !== undefined && !status.endsWith(' installed'))) return []
    const source = (fields.get('source') ?? '').split(' ')[0] ?? ''
    const architecture = fields.get('architecture') ?? ''
    return [{ kind: 'deb', name, version, architecture, license: '', maintainer: fields.get('maintainer') ?? '', source }]
  })
}

/** Alpine's installed database: one letter a field. */
export function apkPackages(text: string): readonly Package[] {
  return paragraphs(text, /^([A-Za-z]):(.*)$/, (key) => key).flatMap((fields): readonly Package[] => {
    const name = fields.get('P') ?? ''
    const version = fields.get('V') ?? ''
    if (name === '' || version === '') return []
    const license = fields.get('L') ?? ''
    return [
      {
        kind: 'apk',
        name,
        version,
        architecture: fields.get('A') ?? '',
        license,
        maintainer: fields.get('m') ?? '',
        source: fields.get('o') ?? '',
      },
    ]
  })
}

function paragraphs(
  text: string,
  field: RegExp,
  keyOf: (key: string) => string = (key) => key.toLowerCase(),
): readonly ReadonlyMap<string, string>[] {
  const all: Map<string, string>[] = []
  let current = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = field.exec(line)
    if (match !== null && !current.has(keyOf(match[1] ?? ''))) current.set(keyOf(match[1] ?? ''), (match[2] ?? '').trim())
    if (line.trim() !== '') continue
    if (current.size > 0) all.push(current)
    current = new Map()
  }
  if (current.size > 0) all.push(current)
  return all
}

function osRelease(text: string): InstalledPackages['distribution'] {
  const value = (key: string) => new RegExp(`^${key}=(?:"([^"\\n]*)"|'([^'\\n]*)'|([^\\n]*))$`, 'm').exec(text)
  const of = (key: string) => {
    const match = value(key)
    return match?.[1] ?? match?.[2] ?? match?.[3] ?? ''
  }
  return { id: of('ID'), version: of('VERSION_ID') }
}
