/** A program to be killed: stores images of random layers under the root given, without end. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

import { bytesOfText, packTar } from '#oci/tar'

import { realImages } from './images-fixture.ts'

const LAYER_BYTES = 300_000

async function main(): Promise<void> {
  const rig = await realImages(process.argv[2])
  process.stdout.write('ready\n')
  for (let round = 0; ; round += 1) {
    const body = randomBytes(LAYER_BYTES)
    const members = [{ entry: { path: bytesOfText('file'), type: 'file' as const, size: body.length }, body: [body] }]
    const tar = Readable.from(packTar(members), { objectMode: false })
    await rig.images.import({ tar, ref: `round:${round}`, message: '', changes: [], platform: null })
    if (round >= 2) await rig.images.remove(`round:${round - 2}`, { force: false, noPrune: false })
  }
}

await main()
