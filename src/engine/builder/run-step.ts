import type { Digest } from '#base'
import type { Place } from '#oci/dockerfile'
import { BLOCK_BYTES, packTar, type TarMember } from '#oci/tar'

import { doOnce } from './do-once.ts'
import { buildErrorAt, buildError } from './errors.ts'
import { runKey } from './keys.ts'
import { coalesced, isEmptyTar } from './layer-items.ts'
import { MAX_UNPACKED_BYTES } from './limits.ts'
import { peek, receiveArchive } from './receive-archive.ts'
import type { RunSpec } from './ports.ts'
import { mountInputs, readyMounts, type Make } from './run-mounts.ts'
import { openSpool } from './spool.ts'
import type { RunAction, Step } from './steps.ts'
import type { LayersOf, LayerWork, MadeLayer, StepContext } from './steps-context.ts'

/** RUN runs in a container on the layers so far, and what it changed becomes a layer. */
export async function runWork(
  build: StepContext,
  action: RunAction,
  layers: readonly Digest[],
  step: Step,
  layersOf: LayersOf,
): Promise<LayerWork> {
  const { number, place } = step
  const make = async (): Promise<MadeLayer | undefined> => {
    const { args, workingDir, user, network, isInsecure } = action
    const makeLayer: Make = async (work) => (await doOnce(build, work, step)).record.diffId
    const { mounts, env } = await readyMounts(build, step, action.mounts, layersOf, makeLayer)
    const run = async (spec: RunSpec) => {
      build.emit({ kind: 'step-running', number })
      return await build.ports.runner.run(spec)
    }
    const spec: RunSpec = {
      layers,
      args,
      env: [...action.env, ...action.hiddenEnv, ...env],
      workingDir,
      user,
      mounts,
      network,
      isInsecure,
      limits: build.limits,
      signal: build.signal,
      onOutput: (stream, chunk) => build.emit({ kind: 'output', number, stream, chunk }),
    }
    const outcome = await build.ports.turns.run(build.owner, () => run(spec))
    try {
      if (outcome.exitCode !== 0) throw runFailed(action, outcome.exitCode, place)
      const { head, whole } = await peek(outcome.diff(), BLOCK_BYTES)
      if (isEmptyTar(head)) return undefined
      const tar = build.epochS === undefined ? whole : clampedTar(whole, build.epochS, build)
      return await build.ports.layers.addLayerTar(tar)
    } finally {
      build.finishLater(outcome[Symbol.asyncDispose]())
    }
  }
  const inputs = await mountInputs(build, action.mounts, layersOf)
  return { key: runKey(action, inputs, layers, build.epochS, build.limits.extraHosts), make }
}

function runFailed(action: RunAction, exitCode: number, place: Place) {
  const error = buildErrorAt(
    'build.run_failed',
    place,
    `The command '${action.args.join(' ')}' returned a non-zero code: ${exitCode}`,
  )
  return buildError('build.run_failed', error.message, { details: { ...error.details, exitCode } })
}

/** The same archive with no time after the epoch. */
async function* clampedTar(tar: AsyncIterable<Buffer>, epochS: number, build: StepContext): AsyncGenerator<Buffer> {
  await using spool = await openSpool(build.ports.spoolDirectory, build.ports.random)
  const { entries } = await receiveArchive(tar, spool, { what: 'the layer of the step', maxBytes: MAX_UNPACKED_BYTES })
  function* members(): Generator<TarMember> {
    for (const entry of entries) {
      const isLate = entry.mtimeS >= epochS
      const clamped = isLate ? { ...entry, mtimeS: epochS, mtimeNs: 0 } : entry
      yield entry.size === 0 ? { entry: clamped } : { entry: clamped, body: spool.read(entry.dataOffset, entry.size) }
    }
  }
  yield* coalesced(packTar(members()))
}
