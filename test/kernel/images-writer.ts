/** A program to be killed: stores images of random layers under the root given, without end. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

import { digestOf } from '#oci/digest'
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
    if (round % 2 === 0) await rig.images.import({ tar, ref: `round:${round}`, message: '', changes: [], platform: null })
    else for await (const _ of rig.images.load(await imageArchive(tar, round))) continue
    if (round >= 2) await rig.images.remove(`round:${round - 2}`, { force: false, noPrune: false })
  }
}

/** The layer, one that nobody names, and only then what the two are. */
async function imageArchive(layer: Readable, round: number): Promise<Readable> {
  const tar = Buffer.concat((await layer.toArray()) as Buffer[])
  const other = Buffer.concat(
    await Array.fromAsync(packTar([{ entry: { path: bytesOfText('o'), type: 'file', size: 1 }, body: [Buffer.from('o')] }])),
  )
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } }
  const manifest = [{ Config: 'config.json', RepoTags: [`round:${round}`], Layers: ['layer.tar'] }]
  const files = { 'layer.tar': tar, 'other.tar': other, 'config.json': json(config), 'manifest.json': json(manifest) }
  const members = Object.entries(files).map(([name, body]) => ({
    entry: { path: bytesOfText(name), type: 'file' as const, size: body.length },
    body: [body],
  }))
  return Readable.from(packTar(members), { objectMode: false })
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

await main()
