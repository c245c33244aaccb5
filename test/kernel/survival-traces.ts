import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { instanceNames } from '../../src/engine/network/names.ts'
import { run } from '../support/processes.ts'

const CGROUPS = '/sys/fs/cgroup'

export interface InstancePlace {
  readonly directory: string
  readonly root: string
  readonly runDir: string
  readonly name: string
}

interface Known {
  readonly id: string
  readonly isRunning: boolean
  /** Links that it has by its networks. */
  readonly links: number
}

/** What an instance has on the host and on disk that none of these containers explains. */
export async function leaksOf(place: InstancePlace, containers: readonly Known[]): Promise<readonly string[]> {
  const all = new Set(containers.map(({ id }) => id))
  const running = new Set(containers.filter(({ isRunning }) => isRunning).map(({ id }) => id))
  const strangers = (what: string, names: readonly string[], known: ReadonlySet<string>) =>
    names.filter((name) => !known.has(name)).map((name) => `${what} ${name}`)
  return [
    ...strangers('directory containers/', namesIn(join(place.root, 'containers')), all),
    ...strangers('directory snapshots/containers/', namesIn(join(place.root, 'snapshots/containers')), all),
    ...strangers('directory tmp/', namesIn(join(place.root, 'tmp')), new Set(['images'])),
    ...strangers('directory tmp/images/', namesIn(join(place.root, 'tmp/images')), new Set()),
    ...strangers('half-made blob', namesIn(join(place.root, 'content/ingest')), new Set()),
    ...strangers('directory run/c/', namesIn(join(place.runDir, 'c')), running),
    ...strangers('runtime state', namesIn(join(place.runDir, 'oci')), running),
    ...strangers('namespace pin', namesIn(join(place.runDir, 'netns')), running),
    ...cgroupsOf(place.name)
      .filter((path) => !running.has(path.split('/').at(-1) ?? ''))
      .map((path) => `cgroup ${path}`),
    ...strangers('mounted root of', mountedRoots(await mountsInside(place), place.root), running),
    ...strayShims(place, running.size),
    ...(await networkLeaks(place.name, running.size, containers)),
  ]
}

/** Mount points in the instance's own namespace. */
export async function mountsInside({ runDir, directory }: InstancePlace): Promise<readonly string[]> {
  const pin = join(runDir, 'ns/mnt')
  const { stdout } = await run('nsenter', [`--mount=${pin}`, 'cat', '/proc/self/mountinfo'])
  return stdout
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(directory))
}

function mountedRoots(points: readonly string[], root: string): readonly string[] {
  const prefix = join(root, 'snapshots/containers/')
  const views = points.filter((point) => point.startsWith(join(root, 'tmp')))
  return [
    ...points.filter((point) => point.startsWith(prefix)).map((point) => point.slice(prefix.length).split('/')[0] ?? ''),
    ...views,
  ]
}

/** One for each running container, and the server. */
function strayShims({ directory }: InstancePlace, running: number): readonly string[] {
  const count = shims(directory).length
  return count > running + 1 ? [`${count} shims for ${running} running containers`] : []
}

/** Links and elements beyond what this many running containers need. */
async function networkLeaks(instance: string, running: number, known: readonly Known[]): Promise<readonly string[]> {
  const names = instanceNames(instance)
  const { stdout } = await run('ip', ['-o', 'link'])
  const links = stdout.split('\n').filter((line) => line.includes(` ${names.linkPrefix}`))
  const table = await run('nft', ['list', 'table', 'inet', names.table])
  const wanted = known.filter(({ isRunning }) => isRunning).reduce((sum, { links: own }) => sum + own, 0)
  const elements = table.stdout.split('\n').filter((line) => /\d+\.\d+\.\d+\.\d+ \. \d+/.test(line))
  return [
    ...(links.length > wanted ? [`${links.length} links for ${running} running containers with ${wanted} endpoints`] : []),
    ...(running === 0 && elements.length > 0 ? [`firewall elements ${elements.join(' ')}`] : []),
  ]
}

/** Groups of containers in every hierarchy. */
function cgroupsOf(instance: string): readonly string[] {
  const trees = [CGROUPS, ...namesIn(CGROUPS).map((name) => join(CGROUPS, name))]
  return trees
    .map((tree) => join(tree, 'glovebox', instance))
    .flatMap((path) =>
      namesIn(path)
        .filter((name) => /^[0-9a-f]{64}$/.test(name))
        .map((name) => join(path, name)),
    )
}

/** Shims keep the command line of the server that forked them; the server is the daemon's child. */
function shims(directory: string): readonly { readonly pid: number; readonly parent: number }[] {
  return commandLines(directory)
    .filter(({ text }) => /glovebox-shim serve\b/.test(text))
    .map(({ pid }) => ({ pid, parent: Number(/^PPid:\s+(\d+)$/m.exec(textOf(`/proc/${pid}/status`))?.[1]) }))
}

/** The shim of a container. */
export function shimPid({ runDir }: Pick<InstancePlace, 'runDir'>, id: string): number {
  return Number(JSON.parse(readFileSync(join(runDir, 'c', id, 'state.json'), 'utf8')).shimPid)
}

/** The server that forks shims. */
export function shimServerPid(directory: string, daemonPid: number): number {
  const found = shims(directory).find(({ parent }) => parent === daemonPid)
  if (found === undefined) throw new Error('no shim server runs')
  return found.pid
}

/** Processes that name the directory in their command line, this one left out. */
export function processesOf(directory: string): readonly number[] {
  return commandLines(directory).map(({ pid }) => pid)
}

function commandLines(directory: string): readonly { readonly pid: number; readonly text: string }[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const text = textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ')
      return text.includes(directory) ? [{ pid: Number(name), text }] : []
    })
}

/** Every process in the instance's cgroups. */
export function cgroupPids(instance: string): readonly number[] {
  return cgroupsOf(instance).flatMap((path) => textOf(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number))
}

/** What a test that ends badly leaves in the kernel. */
export async function removeKernelObjects(instance: string): Promise<void> {
  const names = instanceNames(instance)
  const { stdout } = await run('ip', ['-o', 'link'])
  for (const line of stdout.split('\n')) {
    const link = /^\d+: ([^:@]+)/.exec(line)?.[1] ?? ''
    if (link.startsWith(names.linkPrefix) || link.startsWith(names.bridgePrefix)) await run('ip', ['link', 'del', link])
  }
  await run('nft', ['delete', 'table', 'inet', names.table])
  const groups = namesIn(CGROUPS)
    .map((tree) => join(CGROUPS, tree, 'glovebox', instance))
    .filter((path) => existsSync(path))
  for (const path of groups) await run('find', [path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'])
}

/** Gives up the pin of the instance's mount namespace, as a reboot does. */
export async function unpin(runDir: string): Promise<void> {
  for (const point of [join(runDir, 'ns/mnt'), join(runDir, 'ns')]) await run('umount', [point])
}

export function memoryBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
