/** `npm run bench`: the figures of the README, each as a ratio against the floor or a peer in the same run. Names as arguments choose sections. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { rmSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

import { dockerDaemon, gloveboxDaemon, scratch } from './daemons.ts'
import { layerUsable } from './layer-usable.ts'
import { memory } from './memory.ts'
import { probeImage } from './probe-image.ts'
import { runContainers } from './run-containers.ts'
import type { Row } from './rows.ts'
import { printRows } from './rows.ts'

const SECTIONS = ['run', 'layer', 'memory'] as const

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
  if (isWanted('run')) {
    await using docker = await dockerDaemon(directory)
    rows.push(...(await runContainers(docker === undefined ? [glovebox] : [glovebox, docker], image)))
  }
  if (isWanted('layer')) rows.push(...(await layerUsable(directory)))
  return rows
}

/** Machine-readable, beside the machine that it was measured on. */
function keep(rows: readonly Row[]): void {
  const results = join(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  const machine = { kernel: release(), architecture: arch(), cpus: cpus().length, memoryBytes: totalmem(), node: process.version }
  writeFileSync(join(results, 'latest.json'), `${JSON.stringify({ machine, rows }, undefined, 2)}\n`)
}

await main()
