import { chmodSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { run } from '../support/processes.ts'

/** A daemon of its own with the image `busybox`, and the newest client that is installed. */
export interface Bench {
  readonly daemon: TestDaemon
  readonly docker: Docker
  /** Output of a container that is removed afterwards; a failure is an error. */
  inside(options: readonly string[], script: string): Promise<string>
  /** What the client says about a run that must fail, with its exit code. */
  refused(...args: readonly string[]): Promise<string>
  /** An image like busybox, changed by whoever gets its directory; `changes` are instructions such as `USER app`. */
  image(name: string, change: (root: string) => Promise<void> | void, changes?: readonly string[]): Promise<void>
}

export async function startBench(flags: readonly string[] = []): Promise<Bench> {
  const daemon = await startDaemon(flags)
  // Root of a remapped container is one of the others on its way to its files.
  chmodSync(daemon.directory, 0o711)
  const clients = dockerClients()
  const docker = dockerOf(daemon, clients.at(-1) ?? '')
  const tar = await busyboxTar(daemon.directory)
  await docker.must('import', '--change', 'CMD ["sh"]', '--change', 'ENV PATH=/bin', tar, 'busybox')
  return {
    daemon,
    docker,
    inside: (options, script) => docker.must('run', '--rm', ...options, 'busybox', 'sh', '-c', script),
    refused: async (...args) => {
      const { code, stderr } = await docker('run', '--rm', ...args)
      return `${code}: ${stderr}`
    },
    image: async (name, change, changes = []) => {
      const directory = await mkdtemp(join(daemon.directory, 'image-'))
      const root = join(directory, 'root')
      await mkdir(root)
      const unpacked = await run('tar', ['-xf', tar, '-C', root])
      if (unpacked.code !== 0) throw new Error(unpacked.stderr)
      await change(root)
      const packed = await run('tar', ['-C', root, '-cf', join(directory, 'image.tar'), '.'])
      if (packed.code !== 0) throw new Error(packed.stderr)
      const instructions = ['CMD ["sh"]', 'ENV PATH=/bin', ...changes].flatMap((change) => ['--change', change])
      await docker.must('import', ...instructions, join(directory, 'image.tar'), name)
      await rm(directory, { recursive: true })
    },
  }
}
