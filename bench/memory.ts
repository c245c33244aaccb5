import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BenchDaemon } from './daemons.ts'
import { command } from './measure.ts'
import type { Row } from './rows.ts'

const FEW = 20
const MANY = 500
const WITH_HEALTH_CHECK = 20
/** Containers that are started or removed at the same time. */
const PARALLEL = 8
const KB = 1024
const MB = 1024 * 1024
const DAEMON_BAR_MB = 100
const OURS_BAR_MB = 1.5
const DAEMON_EACH_BAR_KB = 100
const CPU_BAR_PERCENT = 1
/** Long enough for two health checks of each container that has one. */
const WATCHED_MS = 60_000
/** After the starts: collections of garbage and what was put off. */
const SETTLE_MS = 5_000

/** What idle containers cost: memory of the daemon and of our processes beside each, and the daemon's processor time. */
export async function memory(daemon: BenchDaemon, image: { readonly tar: string }): Promise<readonly Row[]> {
  const docker = async (...args: readonly string[]) => await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
  const place = daemon.socketPath.replace(/\/docker\.sock$/, '')
  await docker('import', image.tar, 'probe:memory')
  const start = async (first: number, end: number, ...options: readonly string[]) =>
    await inParallel(first, end, async (index) => {
      await docker(
        'run',
        '-d',
        '--name',
        nameOf(index),
        '--network',
        'none',
        ...options,
        'probe:memory',
        '/bin/sleep',
        'infinity',
      )
    })
  await start(0, FEW)
  await sleep(SETTLE_MS)
  const few = residentBytes(daemon.pid)
  const ours = processesOf('glovebox-shim', place).map(residentBytes)
  await start(FEW, MANY - WITH_HEALTH_CHECK)
  await sleep(SETTLE_MS)
  const many = residentBytes(daemon.pid)
  const share = processesOf('glovebox-shim', place).map(proportionalBytes)
  const idle = await processorPercent(daemon.pid)
  await start(MANY - WITH_HEALTH_CHECK, MANY, '--health-cmd', '/bin/true', '--health-interval', '30s')
  await sleep(SETTLE_MS)
  const checked = await processorPercent(daemon.pid)
  await inParallel(0, MANY, async (index) => void (await docker('rm', '-f', nameOf(index))))
  const started = MANY - WITH_HEALTH_CHECK
  return [
    row(`daemon idle, with ${FEW} containers`, few / MB, 'MB', DAEMON_BAR_MB),
    row('our processes per idle container', sum(ours) / FEW / MB, 'MB', OURS_BAR_MB),
    row(`the same with ${started}, shared pages counted once`, sum(share) / started / MB, 'MB', OURS_BAR_MB),
    row(`daemon per container, from ${FEW} to ${started}`, (many - few) / (started - FEW) / KB, 'KB', DAEMON_EACH_BAR_KB),
    row(`daemon with ${started} idle containers, of a core`, idle, '%', CPU_BAR_PERCENT),
    row(`daemon with ${MANY}, ${WITH_HEALTH_CHECK} of them checked`, checked, '%', CPU_BAR_PERCENT),
  ]
}

function nameOf(index: number): string {
  return `bench-memory-${index}`
}

async function inParallel(first: number, end: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = first
  const worker = async () => {
    while (next < end) await work(next++)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}

function row(what: string, value: number, unit: Row['unit'], bar: number): Row {
  const ratio = { to: `${bar} ${unit}`, value: value / bar, bar: 1 }
  return { what, subject: 'glovebox', median: value, min: value, p90: value, unit, runs: 1, ratio }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
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

function residentBytes(pid: number): number {
  return kilobytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS') * KB
}

/** Each page divided by the number of processes that share it (proc(5), smaps_rollup). */
function proportionalBytes(pid: number): number {
  return kilobytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss') * KB
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0)
}

/** proc_pid_stat(5): fields 14 and 15, in ticks of a hundredth of a second. */
function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

async function processorPercent(pid: number): Promise<number> {
  const before = processorTicks(pid)
  await sleep(WATCHED_MS)
  return ((processorTicks(pid) - before) * 10 * 100) / WATCHED_MS
}
