import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { silentLog, type Digest } from '#base'
import { createSnapshots } from '#engine/snapshots'
import { linuxHost } from '#host'

import { command, inTurn } from './measure.ts'
import type { Row } from './rows.ts'

const RUNS = 7
const DIRECTORIES = 700
const FILES_PER_DIRECTORY = 12
const FILE_BYTES = 20_000
/** Of a layer of 170 MB, once its tar is there. */
const BAR_MS = 150

/** A tar of about 170 MB and 9,100 entries made usable: our index against unpacking it with tar. */
export async function layerUsable(directory: string): Promise<readonly Row[]> {
  const base = join(directory, 'layer')
  const tar = await makeLayer(base)
  using host = linuxHost()
  const snapshots = createSnapshots({ root: join(base, 'snapshots'), host, log: silentLog(), kind: 'erofs' })
  await snapshots.recover()
  let count = 0
  const summaries = await inTurn(
    [
      {
        name: 'glovebox (EROFS index)',
        run: async () => {
          count += 1
          await snapshots.addLayer(`sha256:${count.toString(16).padStart(64, '0')}` as Digest, tar)
        },
      },
      {
        name: 'tar -x',
        run: async () => {
          count += 1
          const target = join(base, `unpacked-${count}`)
          mkdirSync(target)
          await command('tar', ['-xf', tar, '-C', target])
        },
      },
    ],
    RUNS,
    1,
  )
  return [...summaries].map(([subject, summary]) => ({
    what: 'a 170 MB layer made usable',
    subject,
    median: summary.medianMs,
    min: summary.minMs,
    p90: summary.p90Ms,
    unit: 'ms' as const,
    runs: summary.runs,
    ratio: subject.startsWith('glovebox') ? { to: '150 ms', value: summary.medianMs / BAR_MS, bar: 1 } : null,
  }))
}

async function makeLayer(base: string): Promise<string> {
  const content = randomBytes(FILE_BYTES)
  for (let d = 0; d < DIRECTORIES; d += 1) {
    const path = join(base, 'tree', `directory-${d}`)
    mkdirSync(path, { recursive: true })
    for (let f = 0; f < FILES_PER_DIRECTORY; f += 1) writeFileSync(join(path, `file-${f}`), content)
  }
  const tar = join(base, 'layer.tar')
  await command('tar', ['-C', join(base, 'tree'), '-cf', tar, '.'])
  return tar
}
