import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, unlinkSync } from 'node:fs'
import type { Readable } from 'node:stream'

import { newId, type ContainerId, type Digest } from '#base'
import { formatTimeNs } from '#engine/logs'

import type { Context } from './context.ts'
import { NOT_STARTED } from './create.ts'
import { takeDown } from './exit.ts'
import { cgroupPathOf, homeOf } from './paths.ts'
import { prepare } from './prepare.ts'
import type { ContainerRecord, ResolvedMount } from './record.ts'
import type { ContainerSpec } from './spec.ts'
import { SIGKILL } from './stop.ts'

/** A command in a container that nobody sees: no record, no name, no log. For steps of a build. */
export interface TransientRun {
  readonly layers: readonly Digest[]
  readonly spec: ContainerSpec
  readonly mounts: readonly ResolvedMount[]
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void
  readonly signal: AbortSignal | undefined
}

export interface TransientOutcome extends AsyncDisposable {
  readonly exitCode: number
  /** What it changed, as a layer. */
  diff(): Readable
}

/** Runs to the end. What a crash leaves of it is swept at the next start, as nothing refers to it. */
export async function runTransient(context: Context, run: TransientRun): Promise<TransientOutcome> {
  const id = newId<ContainerId>(context.random)
  const record: ContainerRecord = {
    id,
    name: `build-${id.slice(0, 12)}`,
    createdAt: formatTimeNs(context.clock.nowNs()),
    spec: run.spec,
    status: NOT_STARTED,
    mounts: run.mounts,
  }
  // After the diff was read: nobody has to wait for the kernel to give back what the command had.
  const forget = async () => {
    await takeDown(context, record)
    await context.snapshots.removeContainer(id)
    rmSync(homeOf(context, id), { recursive: true, force: true })
  }
  try {
    return {
      exitCode: await execute(context, record, run),
      diff: () => context.snapshots.diffTar(id),
      [Symbol.asyncDispose]: forget,
    }
  } catch (error) {
    await forget()
    throw error
  }
}

async function execute(context: Context, record: ContainerRecord, run: TransientRun): Promise<number> {
  mkdirSync(homeOf(context, record.id), { recursive: true, mode: 0o710 })
  await using undo = new AsyncDisposableStack()
  const { dir, spec, rootfs, scaffold } = await prepareMarked(context, record, run, undo)
  const process = await context.runtime.start({
    id: record.id,
    dir,
    bundle: dir,
    spec,
    isTty: false,
    hasStdin: false,
    subscription: { stdout: true, stderr: true },
    onConnected: (connection) => void connection.listen({ output: run.onOutput }),
  })
  await scaffold[Symbol.asyncDispose]()
  const kill = () => process.signal(SIGKILL)
  run.signal?.addEventListener('abort', kill, { once: true })
  if (run.signal?.aborted === true) kill()
  try {
    const exit = await process.exited.catch(async (error: unknown) => {
      // Its shim was killed: what it ran has nobody any more.
      await context.host.cgroups.kill(cgroupPathOf(context, record.id, record.spec.resources.cgroupParent))
      throw error
    })
    await process.outputEnded
    return exit.exitCode
  } finally {
    run.signal?.removeEventListener('abort', kill)
    rootfs.removeMountPoints()
    undo.move()
  }
}

/** Where the image has no place to mount on, the OCI runtime makes one: what of that is still empty is no change of the command's. */
async function prepareMarked(context: Context, record: ContainerRecord, run: TransientRun, undo: AsyncDisposableStack) {
  const prepared = await prepare(context, record, run.layers, undo, { isVolatile: true })
  const { files } = context.host
  const missing = prepared.spec.mounts
    .flatMap(({ destination }) => withParents(destination))
    .filter((path) => files.resolveInRoot(prepared.rootfs, path) === undefined)
  const removeMountPoints = () => {
    for (const path of missing.toSorted((a, b) => b.length - a.length)) {
      const found = files.resolveInRoot(prepared.rootfs, path, { followLast: false })
      if (found !== undefined) removeIfEmpty(found)
    }
  }
  return { dir: prepared.dir, spec: prepared.spec, scaffold: prepared.scaffold, rootfs: { removeMountPoints } }
}

/** `/a/b/c`: itself, `/a/b` and `/a`. */
function withParents(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '')
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

function removeIfEmpty(path: string): void {
  const stats = lstatSync(path)
  if (stats.isFile() && stats.size === 0) unlinkSync(path)
  else if (stats.isDirectory() && readdirSync(path).length === 0) rmdirSync(path)
}
