import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { arch, availableParallelism, release, totalmem } from 'node:os'
import { dirname } from 'node:path'

/** How the doctor looks at a host: files, facts and a few programs, nothing that changes it. */
export interface HostProbe {
  /** null: not there, or not ours to read. */
  readText(path: string): string | null
  modifiedMs(path: string): number | null
  /** null: not installed, failed, or took too long. */
  run(program: string, args: readonly string[]): Promise<string | null>
  hasProgram(name: string): boolean
  /** Of the file system that holds the path, or would. */
  space(path: string): { readonly availableBytes: number; readonly totalBytes: number } | null
  readonly kernelRelease: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly isRoot: boolean
  nowMs(): number
}

const PROGRAM_TIMEOUT_MS = 5000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
const ADMIN_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function hostProbe(env: NodeJS.ProcessEnv, nowMs: () => number): HostProbe {
  const path = `${env['PATH'] ?? ''}:${ADMIN_PATH}`
  return {
    readText: (file) => orNull(() => readFileSync(file, 'utf8')),
    modifiedMs: (file) => orNull(() => statSync(file).mtimeMs),
    run: (program, args) =>
      new Promise((resolve) => {
        const options = { env: { ...env, PATH: path, LC_ALL: 'C' }, timeout: PROGRAM_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }
        execFile(program, args, options, (error, stdout) => resolve(error === null ? stdout : null))
      }),
    hasProgram: (name) =>
      path
        .split(':')
        .some(
          (directory) => directory.startsWith('/') && orNull(() => accessSync(`${directory}/${name}`, constants.X_OK)) !== null,
        ),
    space: (file) =>
      orNull(() => {
        const { bavail, blocks, bsize } = statfsSync(nearestExisting(file))
        return { availableBytes: bavail * bsize, totalBytes: blocks * bsize }
      }),
    kernelRelease: release(),
    architecture: arch(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    isRoot: process.getuid?.() === 0,
    nowMs,
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === '/' ? path : nearestExisting(dirname(path))
}

function orNull<T>(look: () => T): T | null {
  try {
    return look()
  } catch {
    return null
  }
}
