import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { run } from '../support/processes.ts'

const COMPILE_TIMEOUT_MS = 60_000

/** An image of nothing but `task-server.c`, as a tar to import. Resolves to the tar's path. */
export async function taskServerTar(directory: string): Promise<string> {
  const root = join(directory, 'task-server')
  mkdirSync(join(root, 'bin'), { recursive: true })
  const program = join(root, 'bin/task-server')
  const words = ['-O2', '-static', '-pthread', '-o', program, join(import.meta.dirname, 'task-server.c')]
  const compiled = await run('gcc', words, { timeoutMs: COMPILE_TIMEOUT_MS })
  if (compiled.code !== 0) throw new Error(`compile the task's server: ${compiled.stderr}`)
  cpSync('/bin/busybox', join(root, 'bin/busybox'))
  const tar = join(directory, 'task-server.tar')
  const packed = await run('tar', ['-C', root, '-cf', tar, '.'])
  if (packed.code !== 0) throw new Error(`pack the image: ${packed.stderr}`)
  return tar
}
