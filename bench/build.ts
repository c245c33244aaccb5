import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { changeOneOfMany, changeSource, manyFiles, manyRuns, projectBase, projectFiles } from './build-project.ts'
import type { BenchDaemon } from './daemons.ts'
import { command, inTurn, type Subject, type Summary } from './measure.ts'
import type { Row } from './rows.ts'

/** Has BuildKit in it, and a client for it that needs no plugin. */
const DOCKER = '/usr/bin/docker'
const COLD_RUNS = 3
const RUNS = 7
/** BuildKit counts and prunes its cache after it has answered, the longer the more there is of it: whoever builds next would wait for that. */
const AFTER_BUILDKIT_MS = 1500

interface Builder {
  readonly name: string
  build(directory: string, options: { readonly tag: string; readonly isCold?: boolean }): Promise<unknown>
}

/** Builds beside BuildKit of the same dockerd and buildah, each as a command that is started and waited for. */
export async function builds(
  daemons: readonly BenchDaemon[],
  directory: string,
  image: { readonly tar: string },
): Promise<readonly Row[]> {
  const [glovebox, docker] = daemons
  if (glovebox === undefined) return []
  for (const daemon of daemons) await client(daemon, ['import', image.tar, 'bench-probe'])
  const ours = [ownCommand(glovebox), classic(glovebox)]
  const all = docker === undefined ? ours : [...ours, buildKit(docker)]
  const rows = [...(await manyContexts(all, directory)), ...(await runsOfNothing(all, directory))]
  const base = await projectBase(directory)
  if (base === undefined) return rows
  for (const daemon of daemons) await client(daemon, ['import', base, 'bench-base'])
  const others = await buildah(directory, base)
  return [...rows, ...(await project([...all, ...others], directory))]
}

async function project(builders: readonly Builder[], directory: string): Promise<readonly Row[]> {
  const root = projectFiles(directory)
  const cold = builders.map((builder) => subject(builder, root, { tag: 'bench-cold', isCold: true }))
  const rows = rowsOf('build of a small project, nothing cached', await inTurn(cold, COLD_RUNS, 1), 1.05)
  const peers = builders.filter(({ name }) => name !== 'buildah')
  const cached = peers.map((builder) => subject(builder, root, { tag: 'bench-cached' }))
  rows.push(...rowsOf('the same, all of it cached', await inTurn(cached, RUNS), 0.5))
  let round = 0
  const changed = peers.map((builder) => ({
    ...subject(builder, root, { tag: 'bench-changed' }),
    after: async () => {
      round += 1
      await Promise.resolve(changeSource(root, round))
    },
  }))
  rows.push(...rowsOf('the same, one source file changed', await inTurn(changed, RUNS, 2, AFTER_BUILDKIT_MS), 0.7))
  return rows
}

async function runsOfNothing(builders: readonly Builder[], directory: string): Promise<readonly Row[]> {
  let round = 0
  const subjects = builders.map((builder): Subject => ({
    name: builder.name,
    run: async () => {
      round += 1
      await builder.build(manyRuns(directory, round), { tag: 'bench-runs' })
    },
  }))
  return rowsOf('20 x RUN true', await inTurn(subjects, RUNS), 0.5)
}

async function manyContexts(builders: readonly Builder[], directory: string): Promise<readonly Row[]> {
  const root = manyFiles(directory)
  let round = 0
  const subjects = builders.map((builder): Subject => ({
    name: builder.name,
    run: async () => void (await builder.build(root, { tag: 'bench-many' })),
    after: async () => {
      round += 1
      await Promise.resolve(changeOneOfMany(root, round))
    },
  }))
  return rowsOf('context of 20,000 files, one changed', await inTurn(subjects, RUNS), 0.3)
}

function subject(builder: Builder, root: string, options: { readonly tag: string; readonly isCold?: boolean }): Subject {
  return { name: builder.name, run: async () => void (await builder.build(root, options)) }
}

function rowsOf(what: string, found: ReadonlyMap<string, Summary>, bar: number): Row[] {
  const peer = found.get('BuildKit')
  return [...found].map(([name, { runs, minMs, medianMs, p90Ms }]) => ({
    what,
    subject: name,
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms' as const,
    runs,
    ratio: name === 'glovebox' && peer !== undefined ? { to: 'BuildKit', value: medianMs / peer.medianMs, bar } : null,
  }))
}

async function client(daemon: BenchDaemon, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return await command(DOCKER, ['-H', `unix://${daemon.socketPath}`, ...args], { ...process.env, ...env })
}

/** Our own command, as people type it. */
function ownCommand(daemon: BenchDaemon): Builder {
  const env = { ...process.env, GLOVEBOX_HOST: `unix://${daemon.socketPath}` }
  return {
    name: 'glovebox',
    build: async (directory, { tag, isCold }) => {
      const flags = ['--quiet', '--network', 'host', '--allow', 'network.host', ...(isCold === true ? ['--no-cache'] : [])]
      await command(join(import.meta.dirname, '..', 'glovebox'), ['build', ...flags, '--tag', tag, directory], env)
    },
  }
}

function classic(daemon: BenchDaemon): Builder {
  return {
    name: 'glovebox, by docker build',
    build: (directory, options) => client(daemon, dockerBuild(directory, options), { DOCKER_BUILDKIT: '0' }),
  }
}

function buildKit(daemon: BenchDaemon): Builder {
  return {
    name: 'BuildKit',
    build: (directory, options) => client(daemon, dockerBuild(directory, options), { DOCKER_BUILDKIT: '1' }),
  }
}

function dockerBuild(directory: string, { tag, isCold }: { readonly tag: string; readonly isCold?: boolean }): string[] {
  return ['build', '--quiet', '--network', 'host', ...(isCold === true ? ['--no-cache'] : []), '--tag', tag, directory]
}

/** Without a daemon, on a store of its own; none where it is not installed. */
async function buildah(directory: string, base: string): Promise<readonly Builder[]> {
  if (!existsSync('/usr/bin/buildah')) return []
  const store = ['--root', join(directory, 'buildah'), '--runroot', join(directory, 'buildah-run'), '--storage-driver', 'overlay']
  try {
    const container = (await command('buildah', [...store, 'from', 'scratch'])).trim()
    await command('buildah', [...store, 'add', container, base, '/'])
    await command('buildah', [...store, 'commit', '--rm', container, 'bench-base'])
  } catch (error) {
    process.stderr.write(`no buildah beside: ${String(error).slice(-300)}\n`)
    return []
  }
  const options = ['--quiet', '--layers', '--network', 'host', '--pull-never']
  return [
    {
      name: 'buildah',
      build: async (context, { tag, isCold }) =>
        await command('buildah', [...store, 'bud', ...options, ...(isCold === true ? ['--no-cache'] : []), '-t', tag, context]),
    },
  ]
}
