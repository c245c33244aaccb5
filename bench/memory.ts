import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BenchDaemon } from './daemons.ts'
import { command, summarise } from './measure.ts'
import type { Row } from './rows.ts'

const CONTAINERS = 20
const MB = 1024 * 1024
const DAEMON_BAR_MB = 100
const CONTAINER_BAR_MB = 1.5

/** Resident memory of the idle daemon, and of our own processes per idle container. */
export async function memory(daemon: BenchDaemon, image: { readonly tar: string }): Promise<readonly Row[]> {
  const docker = async (...args: readonly string[]) => await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
  await docker('import', image.tar, 'probe:memory')
  const names = Array.from({ length: CONTAINERS }, (_, index) => `bench-memory-${index}`)
  for (const name of names)
    await docker('run', '-d', '--name', name, '--network', 'none', 'probe:memory', '/bin/sleep', 'infinity')
  await sleep(2000)
  const shims = processesOf('glovebox-shim', daemon.socketPath.replace(/\/docker\.sock$/, '')).map(rssMb)
  const idle = rssMb(daemon.pid)
  await docker('rm', '-f', ...names)
  const perContainer = shims.reduce((sum, mb) => sum + mb, 0) / CONTAINERS
  return [
    row('daemon idle, with 20 containers', idle, DAEMON_BAR_MB),
    row('our processes per idle container', perContainer, CONTAINER_BAR_MB),
  ]
}

function row(what: string, mb: number, barMb: number): Row {
  const { medianMs, minMs, p90Ms } = summarise([mb])
  return {
    what,
    subject: 'glovebox',
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'MB',
    runs: 1,
    ratio: { to: `${barMb} MB`, value: mb / barMb, bar: 1 },
  }
}

function processesOf(program: string, argument: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return words.includes(program) && words.includes(argument)
      } catch {
        return false
      }
    })
}

function rssMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(line?.[1] ?? 0) * 1024) / MB
}
