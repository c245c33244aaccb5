import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { command } from './measure.ts'

const ROOT = join(import.meta.dirname, '..')

/** A daemon of its own for the measurement, on fresh directories. */
export interface BenchDaemon extends AsyncDisposable {
  readonly name: string
  readonly socketPath: string
  readonly pid: number
}

export function scratch(): string {
  mkdirSync('/tmp/gb-bench', { recursive: true })
  return mkdtempSync('/tmp/gb-bench/')
}

export async function gloveboxDaemon(
  directory: string,
  options: { readonly name?: string; readonly more?: readonly string[] } = {},
): Promise<BenchDaemon> {
  const base = join(directory, options.name ?? 'glovebox')
  const socketPath = join(base, 'run', 'docker.sock')
  const flags = ['--root', join(base, 'root'), '--run-dir', join(base, 'run'), '--socket', socketPath]
  const child = spawn(join(ROOT, 'glovebox'), ['daemon', ...flags, ...(options.more ?? [])], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await answering(child, socketPath, 'glovebox')
  return {
    name: 'glovebox',
    socketPath,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      await command(join(ROOT, 'glovebox'), ['daemon', 'stop', ...flags]).catch(() => child.kill())
      await ended(child)
      rmSync(base, { recursive: true, force: true })
    },
  }
}

/** Debian's docker.io with its own everything; undefined when it is not installed. */
export async function dockerDaemon(directory: string): Promise<BenchDaemon | undefined> {
  if (!existsSync('/usr/sbin/dockerd')) return undefined
  const base = join(directory, 'docker')
  mkdirSync(base, { recursive: true })
  const socketPath = join(base, 'docker.sock')
  const args = [
    '--data-root',
    join(base, 'root'),
    '--exec-root',
    join(base, 'exec'),
    '--pidfile',
    join(base, 'pid'),
    '-H',
    `unix://${socketPath}`,
  ]
  const child = spawn('/usr/sbin/dockerd', [...args, '--storage-driver', 'overlay2', '--log-level', 'error'], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  await answering(child, socketPath, 'dockerd')
  return {
    name: 'dockerd',
    socketPath,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended(child)
      rmSync(base, { recursive: true, force: true })
    },
  }
}

async function answering(child: ChildProcess, socketPath: string, name: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}`)
    if (
      existsSync(socketPath) &&
      (await command('docker', ['-H', `unix://${socketPath}`, 'version']).catch(() => undefined)) !== undefined
    )
      return
    await sleep(50)
  }
  throw new Error(`${name} does not answer on ${socketPath}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => child.once('exit', resolve))
}
