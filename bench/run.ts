/** `npm run bench`: the figures of the README, each as a ratio against the floor or a peer in the same run. Names as arguments choose sections. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

import { commandLines } from './command-line.ts'
import { builds } from './build.ts'
import { dockerDaemon, gloveboxDaemon, scratch } from './daemons.ts'
import { listContainers, loadImages } from './images-and-lists.ts'
import { layerUsable } from './layer-usable.ts'
import { memory } from './memory.ts'
import { measuring } from './metrics.ts'
import { throughput } from './network.ts'
import { parallelRuns } from './parallel.ts'
import { probeImage } from './probe-image.ts'
import { pullAndPush } from './pull-and-push.ts'
import { registries } from './registry.ts'
import { routing } from './router.ts'
import { runContainers } from './run-containers.ts'
import { clusterStore } from './store.ts'
import { scheduling } from './scheduler.ts'
import type { Row } from './rows.ts'
import { printRows } from './rows.ts'

const SECTIONS = [
  'memory',
  'cli',
  'run',
  'parallel',
  'load',
  'pull',
  'list',
  'layer',
  'network',
  'build',
  'registry',
  'router',
  'store',
  'scheduler',
  'metrics',
] as const
const BESIDE_DOCKER = ['run', 'parallel', 'load', 'pull', 'network', 'build'] as const

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const unknown = wanted.find((name) => !SECTIONS.some((section) => section === name))
  if (unknown !== undefined) throw new Error(`no section is called ${unknown}; there are ${SECTIONS.join(', ')}`)
  const isWanted = (name: (typeof SECTIONS)[number]) => wanted.length === 0 || wanted.includes(name)
  const directory = scratch()
  try {
    const rows = await measure(directory, isWanted)
    printRows(rows)
    keep(rows)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(directory: string, isWanted: (name: (typeof SECTIONS)[number]) => boolean): Promise<readonly Row[]> {
  const image = await probeImage(directory)
  await using glovebox = await gloveboxDaemon(directory)
  const rows: Row[] = []
  // Memory first: the daemon has done nothing yet but start.
  if (isWanted('memory')) rows.push(...(await memory(glovebox, image)))
  if (isWanted('cli')) rows.push(...(await commandLines(glovebox)))
  if (BESIDE_DOCKER.some(isWanted)) {
    await using docker = await dockerDaemon(directory)
    const daemons = docker === undefined ? [glovebox] : [glovebox, docker]
    if (isWanted('run')) rows.push(...(await runContainers(daemons, image)))
    if (isWanted('parallel')) rows.push(...(await parallelRuns(daemons, image)))
    if (isWanted('load')) rows.push(...(await loadImages(daemons, directory)))
    if (isWanted('pull')) rows.push(...(await pullAndPush(daemons, directory)))
    if (isWanted('network')) rows.push(...(await throughput(daemons, directory, image)))
    if (isWanted('build')) rows.push(...(await builds(daemons, directory, image)))
  }
  if (isWanted('list')) rows.push(...(await listContainers(glovebox, image)))
  if (isWanted('layer')) rows.push(...(await layerUsable(directory)))
  if (isWanted('registry')) rows.push(...(await registries(directory)))
  if (isWanted('router')) rows.push(...(await routing()))
  if (isWanted('store')) rows.push(...(await clusterStore(directory)))
  if (isWanted('metrics')) rows.push(...(await measuring(glovebox, image)))
  if (isWanted('scheduler')) rows.push(...(await scheduling(directory)))
  return rows
}

/** Machine-readable, beside the machine that it was measured on. Sections that were left out keep their last figures. */
function keep(rows: readonly Row[]): void {
  const path = join(import.meta.dirname, 'results', 'latest.json')
  mkdirSync(dirname(path), { recursive: true })
  const machine = { kernel: release(), architecture: arch(), cpus: cpus().length, memoryBytes: totalmem(), node: process.version }
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly rows: readonly Row[] }).rows : []
  const kept = before.filter((old) => !rows.some((row) => row.what === old.what && row.subject === old.subject))
  writeFileSync(path, `${JSON.stringify({ machine, rows: [...kept, ...rows] }, undefined, 2)}\n`)
}

await main()
