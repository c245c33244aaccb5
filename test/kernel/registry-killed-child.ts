import { writeSync } from 'node:fs'

import { systemRandom, type RecordStore, type RecordTable } from '#base'
import { createRepositories, type Repositories } from '#engine/repositories'
import { openStore } from '#engine/store'
import { digestOf, parseVerifiableDigest } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

/** What a client does with a registry; each line that it prints was acknowledged. Killed right before its nth change to the records, or after so long. */
const [root = '', nth = '0', afterMs = '0'] = process.argv.slice(2)

const kill = () => process.kill(process.pid, 'SIGKILL')
let left = Number(nth)
const step = () => {
  if (left === 0) return
  left -= 1
  if (left === 0) kill()
}

/** A kill between two tables of one transaction is the same as one before it. */
function counted(store: RecordStore): RecordStore {
  let isInside = false
  const outside = () => {
    if (!isInside) step()
  }
  const table = <T>(name: string): RecordTable<T> => {
    const given = store.table<T>(name)
    return {
      ...given,
      put: (key, value) => [outside(), given.put(key, value)][1],
      delete: (key) => [outside(), given.delete(key)][1],
      note: (key, value) => [outside(), given.note(key, value)][1],
      forget: (key) => [outside(), given.forget(key)][1],
    }
  }
  const atomically = <R>(work: () => R): R => {
    outside()
    isInside = true
    try {
      return store.atomically(work)
    } finally {
      isInside = false
    }
  }
  return Object.assign(Object.create(store) as RecordStore, { table, atomically })
}

const told = (line: string) => void writeSync(1, `${line}\n`)

async function* bytes(text: string) {
  yield Buffer.from(text)
  await Promise.resolve()
}

async function pushBlob(repositories: Repositories, name: string, text: string): Promise<void> {
  const { id } = await repositories.startUpload(name)
  const half = Math.floor(text.length / 2)
  await repositories.appendUpload(name, id, bytes(text.slice(0, half)), {})
  told(`upload ${id} ${half}`)
  await repositories.appendUpload(name, id, bytes(text.slice(half)), { startByte: half })
  await repositories.finishUpload(name, id, parseVerifiableDigest(digestOf(text)))
  told(`finished ${id}`)
  told(`blob ${name} ${digestOf(text)}`)
}

async function pushImage(repositories: Repositories, name: string, texts: readonly string[], tag: string): Promise<string> {
  for (const text of texts) await pushBlob(repositories, name, text)
  const [config, ...layers] = texts.map((text) => ({
    mediaType: MEDIA_TYPES.ociLayer,
    digest: digestOf(text),
    size: text.length,
  }))
  const document = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers }))
  const { digest } = await repositories.putManifest(name, { mediaType: MEDIA_TYPES.ociManifest, bytes: document, tags: [tag] })
  told(`tag ${name} ${tag} ${digest}`)
  return digest
}

const LAYER = 'a layer '.repeat(300_000)

if (Number(afterMs) > 0) setTimeout(kill, Number(afterMs))
using store = openStore(`${root}/state.db`)
let nowMs = 1_700_000_000_000
const clock = { nowMs: () => nowMs } as Parameters<typeof createRepositories>[0]['clock']
const repositories = createRepositories({ root, records: counted(store), clock, random: systemRandom() })
await repositories.recover()
await pushImage(repositories, 'team/a', ['config', LAYER], '1')
const second = await pushImage(repositories, 'team/b', ['config', LAYER, 'more'], '1')
await pushImage(repositories, 'team/a', ['config', 'other'], '1')
repositories.mountBlob('team/c', digestOf(LAYER), 'team/b')
told(`blob team/c ${digestOf(LAYER)}`)
await repositories.deleteManifest('team/b', second)
told(`gone team/b`)
nowMs += 48 * 3_600_000
told('collecting')
await repositories.collect({ rules: [{ repositories: '**', untaggedAfterMs: 0 }] })
told('collected')
