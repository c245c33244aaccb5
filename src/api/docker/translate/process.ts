import type { ProcessSpec } from '#engine/containers'
import type { ImageProcessConfig } from '#engine/images'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What runs: the request over the image, by Docker's rules of inheritance. Error: `docker.field_invalid` when neither names a command. */
export function processSpec(body: Reader, hostConfig: Reader, image: ImageProcessConfig): ProcessSpec {
  const { entrypoint, cmd } = command(body.texts('Entrypoint'), body.texts('Cmd'), image)
  return {
    entrypoint,
    cmd,
    env: environment(image.env, body.texts('Env', [])),
    workingDir: workingDir(body.text('WorkingDir') || image.workingDir),
    user: body.text('User') || image.user,
    additionalGroups: hostConfig.texts('GroupAdd', []),
    hasTty: body.bool('Tty'),
    hasStdin: body.bool('OpenStdin'),
    isStdinOnce: body.bool('StdinOnce'),
    attachStdin: body.bool('AttachStdin'),
    attachStdout: body.bool('AttachStdout'),
    attachStderr: body.bool('AttachStderr'),
    consoleSize: consoleSize(hostConfig.raw('ConsoleSize'), 'HostConfig.ConsoleSize'),
    shell: body.texts('Shell') ?? image.shell,
  }
}

/** An entrypoint in the request drops the image's command; `[""]` drops the image's entrypoint. */
function command(
  entrypoint: readonly string[] | null,
  cmd: readonly string[] | null,
  image: ImageProcessConfig,
): Pick<ProcessSpec, 'entrypoint' | 'cmd'> {
  const isEntrypointGiven = entrypoint !== null && entrypoint.length > 0
  const isCmdGiven = cmd !== null && cmd.length > 0
  const merged = {
    entrypoint: entrypoint === null ? image.entrypoint : entrypoint,
    cmd: isCmdGiven || isEntrypointGiven ? cmd : image.cmd,
  }
  const isReset = merged.entrypoint?.length === 1 && merged.entrypoint[0] === ''
  const settled = isReset || merged.entrypoint?.length === 0 ? { ...merged, entrypoint: null } : merged
  if ((settled.entrypoint?.length ?? 0) + (settled.cmd?.length ?? 0) === 0)
    throw dockerError('docker.field_invalid', 'no command specified', {
      hint: 'The image names neither a command nor an entrypoint: give one.',
    })
  return settled
}

/** Image first, the request's on top in the image's places; a name without `=` takes the variable away. */
function environment(image: readonly string[], request: readonly string[]): readonly string[] {
  const values = new Map<string, string>([['PATH', DEFAULT_PATH]])
  for (const entry of [...image, ...request]) {
    const mark = entry.indexOf('=')
    if (mark === 0 || entry === '')
      throw dockerError('docker.field_invalid', `invalid environment variable: ${JSON.stringify(entry)}`)
    if (entry.includes('\0')) throw dockerError('docker.field_invalid', `Env: ${JSON.stringify(entry)} holds a zero byte`)
    if (mark === -1) values.delete(entry)
    else values.set(entry.slice(0, mark), entry)
  }
  return [...values.values()]
}

function workingDir(path: string): string {
  if (path !== '' && !path.startsWith('/'))
    throw dockerError('docker.field_invalid', `the working directory '${path}' is invalid, it needs to be an absolute path`)
  return path
}

/** `[height, width]`; Go's zero array means none. */
export function consoleSize(value: unknown, at: string): readonly [rows: number, columns: number] | null {
  if (value === undefined || value === null) return null
  const [rows, columns] = Array.isArray(value) && value.length === 2 ? (value as readonly unknown[]) : []
  if (!isCellCount(rows) || !isCellCount(columns))
    throw dockerError('docker.field_invalid', `${at}: ${JSON.stringify(value).slice(0, 100)} is not [height, width]`)
  return rows === 0 && columns === 0 ? null : [rows, columns]
}

/** The kernel's winsize has 16 bits: ioctl_tty(2). */
function isCellCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
}
