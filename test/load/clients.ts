import assert from 'node:assert/strict'
import { join } from 'node:path'

import { type Running, spawnProgram } from '../support/processes.ts'
import type { ClientReport, ClientTask } from './client.ts'

/** A client that asks until it is told to stop. */
export interface LoadClient {
  readonly name: string
  readonly running: Running
  /** How many requests it has begun, as it told last. */
  requests(): number
  stop(): Promise<ClientReport>
}

const STOP_TIMEOUT_MS = 30_000

const PLAIN: ClientTask = { port: 0, connections: 8, isKept: true, method: 'GET', path: '/', most: 0, perSecond: 0, version: '' }

const started = new Set<Running>()

/** Of a test that failed in the middle. */
export function killClients(): void {
  for (const running of started) running.kill('SIGKILL')
}

export function startClient(name: string, task: Partial<ClientTask> & Pick<ClientTask, 'port'>): LoadClient {
  const words = [join(import.meta.dirname, 'client.ts'), JSON.stringify({ ...PLAIN, ...task })]
  const running = spawnProgram(process.execPath, words)
  started.add(running)
  return {
    name,
    running,
    requests: () => Number(/(\d+) \d+\n$/.exec(running.stdout())?.[1] ?? 0),
    stop: async () => {
      running.end()
      const { stdout, stderr } = await running.finish(STOP_TIMEOUT_MS)
      const last = stdout.trimEnd().split('\n').at(-1) ?? ''
      if (!last.startsWith('{')) throw new Error(`the client ${name} ended with nothing to tell: ${stderr}`)
      return JSON.parse(last) as ClientReport
    },
  }
}

/** What all of them together saw, as one line each; fails when a request of any failed. */
export async function stopAll(clients: readonly LoadClient[], tell: (line: string) => void): Promise<number> {
  const reports = await Promise.all(clients.map(async (client) => ({ name: client.name, ...(await client.stop()) })))
  for (const { name, requests, failures, versions, latencyMs, slow } of reports) {
    const { p50, p99, most } = latencyMs
    const answered = Object.keys(versions).length
    tell(`${name}: ${failures} failed of ${requests}; p50 ${p50}, p99 ${p99}, most ${most} ms; ${answered} versions`)
    if (slow.length > 0) tell(`${name}: slow were ${slow.join(', ')}`)
  }
  const failed = reports.filter(({ failures }) => failures > 0)
  assert.deepEqual(
    failed.map(({ name, reasons, first }) => ({ name, reasons, first })),
    [],
  )
  return reports.reduce((sum, { requests }) => sum + requests, 0)
}
