import { statSync } from 'node:fs'
import { join } from 'node:path'

import { type BuildsPort, type GloveboxApiPorts, wireErrorOf } from '#api/glovebox'
import type { Clock } from '#base'
import type { ScanMemories } from '#cli'
import type { Host } from '#host'

import { peerFiles } from './peer-files.ts'

export interface CommandLineNeeds {
  readonly socketPath: string
  readonly builds: BuildsPort
  readonly host: Pick<Host, 'sockets'>
  readonly clock: Clock
}

/**
 * Runs commands in this process: read-only ones against its own socket, builds without one. The command line is loaded when the first one comes.
 * A caller whose program is not the one that would be loaded runs its commands itself.
 */
export function commandLinePort({
  socketPath,
  builds,
  host,
  clock,
}: CommandLineNeeds): NonNullable<GloveboxApiPorts['commandLine']> {
  const program = programIdentity()
  let memories: ScanMemories | undefined
  return {
    output: async (words) => {
      const { readOnlyOutput } = await import('#cli')
      return await readOnlyOutput(words, socketPath)
    },
    run: async (call, streams) => {
      const peer = streams.connectionFd === undefined ? undefined : host.sockets.peer(streams.connectionFd)
      if (peer === undefined || program === undefined || call.program !== program || programIdentity() !== program) return null
      const { scanMemories, servedBuild } = await import('#cli')
      memories ??= scanMemories(clock)
      const files = peerFiles(peer, { clock, memories })
      if (files === undefined) return null
      using _files = files
      return await servedBuild(call, streams, { socketPath, files, builds, told: wireErrorOf })
    },
  }
}

/** The bundle that commands are loaded from: which file it is, and when it was written. undefined where the sources run as they are. */
function programIdentity(): string | undefined {
  const stats = statSync(join(import.meta.dirname, 'cli-lib.cjs'), { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const [seconds, nanoseconds] = [stats.mtimeNs / 1_000_000_000n, stats.mtimeNs % 1_000_000_000n]
  return `${stats.dev}:${stats.ino}:${seconds}.${String(nanoseconds).padStart(9, '0')}`
}
