import type { Readable } from 'node:stream'

import type { Client, ContextProgress } from '#client'
import type { BuildSource } from '#client/context'

import { cliError } from '../errors.ts'
import type { BuildTrack } from './display.ts'
import type { ImageWish } from './wish.ts'

/** Builds once and tells how it goes. Gives the image's id; empty when nothing was to be built. Errors: those of the client and the builder. */
export async function runBuild(
  source: BuildSource,
  wish: ImageWish,
  builds: Pick<Client['builds'], 'run' | 'output'>,
  track: BuildTrack,
  signal: AbortSignal,
  onOutput?: (output: number, file: Readable) => Promise<void>,
): Promise<string> {
  try {
    const onContext = (progress: ContextProgress) => track.tell({ kind: 'context', ...progress })
    for await (const report of builds.run(source, wish, { signal, onContext })) {
      track.tell(report)
      if (report.kind === 'output-ready') await onOutput?.(report.output, await builds.output(report.token, signal))
    }
    if (signal.aborted) throw cliError('cli.cancelled', 'the build was cancelled')
    const id = track.view().imageId
    const makesImage = wish.outputs.length === 0 || wish.outputs.some(({ type }) => type === 'image')
    if (id === undefined && wish.call === 'build' && makesImage)
      throw cliError('cli.failed', 'the daemon ended the build without an image')
    return id ?? ''
  } catch (error) {
    track.tell({ kind: 'failed' })
    throw error
  }
}
