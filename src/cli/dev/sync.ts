import { createReadStream, lstatSync, readlinkSync } from 'node:fs'
import { Readable } from 'node:stream'

import { messageOf } from '#base'
import type { Client } from '#client'
import type { WatchExec } from '#cluster/spec'
import { bytesOfText, packTar, type TarMember } from '#oci/tar'

import { cliError } from '../errors.ts'
import type { CopyPlan } from './plan.ts'

/** Puts files into a running container, as its user's. What has gone meanwhile is passed over: a change of its own tells about it. */
export async function copyFiles(client: Client, container: string, copies: readonly CopyPlan[]): Promise<void> {
  if (copies.length === 0) return
  // Directories first: what is in them may be among the rest.
  const ordered = copies.toSorted((a, b) => (a.target < b.target ? -1 : 1))
  const tar = Readable.from(packTar(members(ordered)), { objectMode: false })
  await client.containers.writePath(container, '/', tar, { copyUIDGID: true })
}

function* members(copies: readonly CopyPlan[]): Generator<TarMember> {
  for (const { source, target } of copies) {
    const stats = lstatSync(source, { throwIfNoEntry: false })
    if (stats === undefined) continue
    const path = bytesOfText(target.replace(/^\/+/, ''))
    const common = { path, mode: stats.mode & 0o7777, uid: 0, gid: 0, mtimeS: Math.floor(stats.mtimeMs / 1000) }
    if (stats.isDirectory()) yield { entry: { ...common, type: 'directory' } }
    else if (stats.isSymbolicLink()) yield { entry: { ...common, type: 'symlink', linkname: bytesOfText(readlinkSync(source)) } }
    else if (stats.isFile()) {
      const body = stats.size === 0 ? [] : createReadStream(source, { end: stats.size - 1 })
      yield { entry: { ...common, type: 'file', size: stats.size }, body: body as AsyncIterable<Buffer> }
    }
  }
}

/** Removes paths in a container, with its own rm: the archive routes of the API only add. Error: `cli.failed`. */
export async function removeFiles(client: Client, container: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return
  await runInside(client, container, { Cmd: ['rm', '-rf', '--', ...paths], User: '0' })
}

/** The command of a rule. Error: `cli.failed`, with what it wrote. */
export async function runExec(client: Client, container: string, exec: WatchExec): Promise<void> {
  await runInside(client, container, {
    Cmd: exec.command,
    User: exec.user ?? '',
    WorkingDir: exec.workingDir ?? '',
    Env: Object.entries(exec.environment).map(([name, value]) => `${name}=${value}`),
    Privileged: exec.isPrivileged,
  })
}

/** Enough of the end of what a command wrote to see what went wrong. */
const SHOWN_CHARS = 2000

async function runInside(
  client: Client,
  container: string,
  options: Readonly<Record<string, unknown>> & { readonly Cmd: readonly string[] },
): Promise<void> {
  const { frameReader } = await import('#client')
  const id = await client.containers.createExec(container, { ...options, AttachStdout: true, AttachStderr: true })
  const { socket, head } = await client.containers.startExec(id, { Detach: false, Tty: false })
  let said = ''
  const reader = frameReader(({ bytes }) => (said = (said + bytes.toString('utf8')).slice(-SHOWN_CHARS)))
  if (head.length > 0) reader.push(head)
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) reader.push(chunk)
  } catch (error) {
    throw cliError('cli.failed', `run ${options.Cmd.join(' ')}: ${messageOf(error)}`, { cause: error })
  }
  const { ExitCode } = await client.containers.inspectExec(id)
  if (ExitCode !== 0)
    throw cliError(
      'cli.failed',
      `${options.Cmd.join(' ')} ended with exit code ${ExitCode}${said.trim() === '' ? '' : `: ${said.trim()}`}`,
    )
}
