import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { CHUNK_BYTES } from '#engine/content'
import { emptyProcessConfig, hostPlatform, writeImageConfig } from '#oci/image'
import { familiarText } from '#oci/reference'
import { packTar, scanTar, type TarMember } from '#oci/tar'

import { imageError } from '../errors.ts'
import { reporting } from '../load/progress.ts'
import { publish, recordOf, type ImageParts } from '../parts.ts'
import type { ImageProgress } from '../port.ts'
import { storeImage } from '../store-image.ts'
import { planRootfs, type RootfsMember } from './rootfs-plan.ts'
import { readDebianBase, readMirrors, releaseDateS, sourcesOf, type DebianBase, type Mirrors, type Source } from './suites.ts'
import type { BootstrapTools, RunOptions, ToolResult } from './tools.ts'

export interface BootstrapNeeds {
  readonly parts: ImageParts
  readonly tools: BootstrapTools
  temporaryPath(): string
  /** Ends the programs and with them the whole. */
  readonly signal?: AbortSignal
}

/** Some 20 s on a quick mirror; a slow line may need many minutes for 40 MB. */
const MMDEBSTRAP_TIMEOUT_MS = 30 * 60 * 1000
const APT_TIMEOUT_MS = 2 * 60 * 1000
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Makes the image and names it. The same packages on the mirror give the same image. */
export function bootstrapImage(needs: BootstrapNeeds, ref: string, signal?: AbortSignal): AsyncIterable<ImageProgress> {
  return reporting(async (report) => {
    const base = readDebianBase(ref)
    const say = (text: string) => report({ type: 'status', text })
    const directory = needs.temporaryPath()
    await mkdir(directory, { recursive: true, mode: 0o700 })
    try {
      return [await makeImage({ ...needs, ...(signal === undefined ? {} : { signal }) }, base, directory, say)]
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
}

async function makeImage(
  needs: BootstrapNeeds,
  base: DebianBase,
  directory: string,
  say: (text: string) => void,
): Promise<ImageProgress> {
  const { parts } = needs
  const mirrors = await findMirrors(needs)
  const sources = sourcesOf(base, mirrors)
  say(`Reading ${sources.map(({ suite }) => suite).join(', ')} from ${mirrors.archive}`)
  const epochS = await newestRelease(needs, sources, directory)
  const tarPath = join(directory, 'rootfs.tar')
  await runMmdebstrap(needs, base, sources, { directory, tarPath, epochS }, say)
  say('Storing the layer')
  const layer = await parts.layers.add(rootfsTar(tarPath, base, epochS), {
    compression: 'none',
    what: familiarText(base.reference),
  })
  try {
    const created = new Date(epochS * 1000).toISOString().replace('.000Z', 'Z')
    const config = { ...emptyProcessConfig(), env: [`PATH=${PATH}`], cmd: ['bash'] }
    const configBytes = writeImageConfig({
      ...hostPlatform(),
      created,
      author: '',
      comment: '',
      config,
      diffIds: [layer.diffId],
      history: [{ created, createdBy: historyLine(base), author: '', comment: '', isEmptyLayer: false }],
    })
    const { id } = await storeImage(parts, { configBytes, names: [base.reference], parent: null })
    const name = familiarText(base.reference)
    publish(parts, 'import', id, name, {})
    return { type: 'loaded', image: recordOf(parts, id), ref: name }
  } finally {
    parts.layers.release([layer.diffId])
    await parts.layers.collect([layer.diffId])
  }
}

function historyLine(base: DebianBase): string {
  return `glovebox image bootstrap ${familiarText(base.reference)} # Debian ${base.suite}, minbase`
}

/** Where this machine's own apt gets Debian from. */
async function findMirrors(needs: BootstrapNeeds): Promise<Mirrors> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const options = runOptions(needs, APT_TIMEOUT_MS)
  const { exitCode, text } = await needs.tools.run(
    'apt-get',
    ['indextargets', '--format', format, 'Created-By: Packages'],
    options,
  )
  return readMirrors(exitCode === 0 ? text : '')
}

/** The date of the newest suite: later than any file of its packages, and the same for everybody who sees the same packages. */
async function newestRelease(needs: BootstrapNeeds, sources: readonly Source[], directory: string): Promise<number> {
  const dates: number[] = []
  for (const { uri, suite } of sources) {
    const address = `${uri}/dists/${suite}/InRelease`
    const path = join(directory, `${suite}.InRelease`)
    // apt's own downloader: it knows the machine's proxies.
    const options = runOptions(needs, APT_TIMEOUT_MS)
    const result = await needs.tools.run('/usr/lib/apt/apt-helper', ['-q', 'download-file', address, path], options)
    if (result.exitCode !== 0) throw failed(`cannot read ${address}`, result)
    const date = releaseDateS(await readFile(path, 'utf8'))
    if (date === undefined) throw imageError('image.bootstrap_failed', `${address} has no date`)
    dates.push(date)
  }
  return Math.max(...dates)
}

async function runMmdebstrap(
  needs: BootstrapNeeds,
  base: DebianBase,
  sources: readonly Source[],
  made: { readonly directory: string; readonly tarPath: string; readonly epochS: number },
  say: (text: string) => void,
): Promise<void> {
  const proxies = await aptProxies(needs)
  const args = [
    '--mode=root',
    '--variant=minbase',
    '--format=tar',
    ...proxies.map((line) => `--aptopt=${line}`),
    base.suite,
    '-',
    ...sources.map(({ uri, suite }) => `deb ${uri} ${suite} main`),
  ]
  const output = openSync(made.tarPath, 'wx', 0o600)
  try {
    const result = await needs.tools.run('mmdebstrap', args, {
      ...runOptions(needs, MMDEBSTRAP_TIMEOUT_MS),
      env: { SOURCE_DATE_EPOCH: String(made.epochS), TMPDIR: made.directory },
      output,
      onLine: (line) => {
        const text = /^I: (.*?)(?:\.\.\.)?$/.exec(line)?.[1]
        // Its own closing words are not the end of ours.
        if (text !== undefined && !text.includes(made.directory) && !/^(?:done|success)\b/.test(text))
          say(`${text.charAt(0).toUpperCase()}${text.slice(1)}`)
      },
    })
    if (result.exitCode !== 0) throw failed(`mmdebstrap ended with ${result.exitCode}`, result)
  } finally {
    closeSync(output)
  }
}

/** In the form that apt reads again; the image does not keep them. */
async function aptProxies(needs: BootstrapNeeds): Promise<readonly string[]> {
  const { exitCode, text } = await needs.tools.run('apt-config', ['dump', 'Acquire'], runOptions(needs, APT_TIMEOUT_MS))
  if (exitCode !== 0) return []
  return text.split('\n').filter((line) => /^Acquire::https?::Proxy(?:::[^ "]+)? "[^"]+";$/i.test(line))
}

function runOptions({ parts, signal }: BootstrapNeeds, timeoutMs: number): RunOptions {
  return { clock: parts.clock, timeoutMs, ...(signal === undefined ? {} : { signal }) }
}

function failed(why: string, { lastLines }: ToolResult) {
  return imageError('image.bootstrap_failed', [`bootstrap: ${why}`, ...lastLines].join('\n'), {
    hint: 'Look whether this machine reaches its Debian mirror (apt-get update) and whether its debian-archive-keyring is new enough.',
  })
}

/** The layer's tar, out of mmdebstrap's. */
async function* rootfsTar(tarPath: string, base: DebianBase, epochS: number): AsyncGenerator<Buffer> {
  const descriptor = openSync(tarPath, 'r')
  try {
    const readAt = (buffer: Buffer, position: number) => readSync(descriptor, buffer, 0, buffer.length, position)
    const entries = [...scanTar(readAt, fstatSync(descriptor).size)]
    const members = planRootfs(entries, base, epochS).map((member): TarMember => withBody(member, readAt))
    yield* packTar(members)
  } finally {
    closeSync(descriptor)
  }
}

function withBody({ entry, body }: RootfsMember, readAt: (buffer: Buffer, position: number) => number): TarMember {
  if (body === null) return { entry }
  if ('bytes' in body) return { entry, body: [body.bytes] }
  return { entry, body: readBody(readAt, body.startByte, entry.size ?? 0) }
}

/** The file is in the page cache, and the pieces are small: no need to wait for a thread for each. */
function* readBody(
  readAt: (buffer: Buffer, position: number) => number,
  startByte: number,
  sizeBytes: number,
): Generator<Buffer> {
  let done = 0
  while (done < sizeBytes) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - done))
    const read = readAt(buffer, startByte + done)
    if (read === 0) return
    done += read
    yield buffer.subarray(0, read)
  }
}
