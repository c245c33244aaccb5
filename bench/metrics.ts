import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BenchDaemon } from './daemons.ts'
import { command } from './measure.ts'
import type { Row } from './rows.ts'

const CONTAINERS = 200
/** Containers that are started or removed at the same time. */
const PARALLEL = 8
const SCRAPES = 20
/** Further apart than the daemon gives the same answer to two. */
const BETWEEN_SCRAPES_MS = 1_100
const SCRAPE_BAR_MS = 100
const CPU_BAR_PERCENT = 1
/** Six samples, and one entry of the journal. */
const WATCHED_MS = 60_000
/** Two samples: every series is known. */
const SETTLE_MS = 25_000

/** What it costs to measure 200 containers: a scrape of all, and the daemon's processor time with nobody but the history that looks. */
export async function measuring(daemon: BenchDaemon, image: { readonly tar: string }): Promise<readonly Row[]> {
  const docker = async (...args: readonly string[]) => await command('docker', ['-H', `unix://${daemon.socketPath}`, ...args])
  await docker('import', image.tar, 'probe:metrics')
  await inParallel(async (index) => {
    await docker('run', '-d', '--name', nameOf(index), 'probe:metrics', '/bin/sleep', 'infinity')
  })
  await sleep(SETTLE_MS)
  const before = processorMs(daemon.pid)
  await sleep(WATCHED_MS)
  const percent = ((processorMs(daemon.pid) - before) / WATCHED_MS) * 100
  const times: number[] = []
  const scrapesBefore = processorMs(daemon.pid)
  for (let scrape = 0; scrape < SCRAPES; scrape += 1) {
    const startedMs = performance.now()
    await scraped(daemon.socketPath)
    times.push(performance.now() - startedMs)
    await sleep(BETWEEN_SCRAPES_MS)
  }
  // Without what the history took meanwhile.
  const scrapesMs = processorMs(daemon.pid) - scrapesBefore - (percent / 100) * SCRAPES * BETWEEN_SCRAPES_MS
  await inParallel(async (index) => void (await docker('rm', '-f', nameOf(index))))
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return [
    {
      what: `scrape of ${CONTAINERS} containers`,
      subject: 'glovebox',
      ...{ median: at(0.5), min: at(0), p90: at(0.9), unit: 'ms', runs: SCRAPES },
      ratio: { to: `${SCRAPE_BAR_MS} ms`, value: at(0.5) / SCRAPE_BAR_MS, bar: 1 },
    },
    one('processor time of such a scrape', scrapesMs / SCRAPES, 'ms', SCRAPE_BAR_MS),
    one(`daemon with ${CONTAINERS} idle containers and its history, of a core`, percent, '%', CPU_BAR_PERCENT),
  ]
}

function one(what: string, value: number, unit: Row['unit'], bar: number): Row {
  const ratio = { to: `${bar} ${unit}`, value: value / bar, bar: 1 }
  return { what, subject: 'glovebox', median: value, min: value, p90: value, unit, runs: 1, ratio }
}

function nameOf(index: number): string {
  return `bench-metrics-${index}`
}

async function inParallel(work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < CONTAINERS) await work(next++)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}

async function scraped(socketPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asking = request({ socketPath, path: '/metrics', agent: false }, (response) => {
      response.resume()
      response.once('end', resolve)
    })
    asking.once('error', reject)
    asking.end()
  })
}

/** proc_pid_stat(5): fields 14 and 15, in ticks of a hundredth of a second. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
