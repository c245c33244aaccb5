import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'

import type { RegistryOptions } from '#engine/registry'

import { run } from '../support/processes.ts'
import { gather, registryRig, type RegistryRig } from './registry-fixture.ts'
import { startRegistry, type RegistryProcess } from './registry-process.ts'
import { tarOf } from './snapshots-fixture.ts'

/** Of TEST-NET-1 (RFC 5737): on this machine for the tests alone, and not a loopback address, for which other rules hold. */
const ADDRESS = '192.0.2.177'

let plain: RegistryProcess
let secure: RegistryProcess
before(async () => {
  await run('ip', ['address', 'add', `${ADDRESS}/32`, 'dev', 'lo'])
  plain = await startRegistry({ address: ADDRESS })
  secure = await startRegistry({ address: ADDRESS, hasTls: true, hasPassword: true })
})
after(async () => {
  await plain.stop()
  await secure.stop()
  await run('ip', ['address', 'del', `${ADDRESS}/32`, 'dev', 'lo'])
})

async function pushTo(
  host: string,
  options: Partial<RegistryOptions> = {},
  prepare: (rig: RegistryRig) => void = () => undefined,
) {
  using rig = await registryRig(options)
  prepare(rig)
  const tar = Readable.from([tarOf([{ path: 'hello', mode: 0o644, body: 'hello' }])], { objectMode: false })
  const name = `${host}/team/web`
  await rig.real.images.import({ tar, ref: `${name}:1`, message: '', changes: [], platform: null })
  const credentials = { username: 'anna', password: 'right' }
  return await gather(rig.registries.push({ name, tag: '1', credentials, signal: new AbortController().signal }))
}

test('plain HTTP is spoken to a registry elsewhere only when it was allowed, by name, address or network', async () => {
  await assert.rejects(pushTo(plain.host), (error: { code?: string; hint?: string }) => {
    assert.equal(error.code, 'registry.unreachable')
    assert.match(error.hint ?? '', /--insecure-registry 192\.0\.2\.177:\d+/)
    return true
  })
  for (const allowed of [plain.host, ADDRESS, '192.0.2.0/24'])
    assert.equal((await pushTo(plain.host, { insecure: [allowed] })).at(-1)?.type, 'pushed')
})

test('a certificate of an unknown authority is refused, until the authority is put beside the daemon', async () => {
  await assert.rejects(pushTo(secure.host), { code: 'registry.certificate_invalid' })
  const trusting = (rig: RegistryRig) => {
    const directory = join(rig.real.root, 'certs.d', secure.host)
    mkdirSync(directory, { recursive: true })
    copyFileSync(join(secure.directory, 'ca.crt'), join(directory, 'ca.crt'))
  }
  assert.equal((await pushTo(secure.host, {}, trusting)).at(-1)?.type, 'pushed')
  assert.equal((await pushTo(secure.host, { insecure: [secure.host] })).at(-1)?.type, 'pushed')
})
