import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { systemRandom, virtualClock } from '#base'
import { keyOf } from '#cluster/model'
import { memoryStore } from '#cluster/store'

import { openSecrets } from './secrets.ts'
import { putStackSecrets, removeStackSecrets, STACK_LABEL } from './stack-secrets.ts'
import { filesOfTask, mountsOfFiles } from './task-files.ts'

function rig(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-stack-secrets-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const clock = virtualClock()
  const store = memoryStore(clock)
  const key = { type: 'own', path: join(directory, 'key') } as const
  return { store, secrets: openSecrets({ store, clock, random: systemRandom(), key }) }
}

const part = (key: string, isExternal = false) => ({ key, name: `shop_${key}`, isExternal, labels: { from: 'file' } })
const SHOP = { name: 'shop', secrets: [part('key')], configs: [part('conf')] }
const base64 = (text: string) => Buffer.from(text).toString('base64')
const VALUES = { secrets: { key: base64('one') }, configs: { conf: base64('port') } }

test('what a stack brings is kept under its names and label, and saying it again changes nothing', async (t) => {
  const { secrets } = rig(t)
  await putStackSecrets(secrets, SHOP, VALUES)
  const first = await secrets.inspect('secret', 'shop_key')
  assert.deepEqual(first.labels, { from: 'file', [STACK_LABEL]: 'shop' })
  await putStackSecrets(secrets, SHOP, VALUES)
  assert.deepEqual(await secrets.inspect('secret', 'shop_key'), first)
  // Without values: those that there are stay.
  await putStackSecrets(secrets, SHOP, undefined)
  await putStackSecrets(secrets, SHOP, { ...VALUES, secrets: { key: base64('two') } })
  assert.equal((await secrets.inspect('secret', 'shop_key')).version, 2)
  const mount = { secret: 'key', target: '/run/secrets/key', uid: 0, gid: 0, mode: 0o444 }
  const { files } = filesOfTask({ secrets: [mount], configs: [] }, SHOP)
  assert.ok(files)
  const [file] = await secrets.files(files.mounts, files.stack)
  assert.equal(file?.content.toString(), 'two')
  // Found again when the memory of the container is gone.
  assert.deepEqual(await secrets.files(mountsOfFiles([file]), null), [file])
  assert.deepEqual(filesOfTask({ secrets: [], configs: [] }, SHOP), {})
})

test('nothing is kept of a stack that calls something external which is not there', async (t) => {
  const { secrets } = rig(t)
  const stack = { ...SHOP, secrets: [part('key'), part('cert', true)] }
  await assert.rejects(putStackSecrets(secrets, stack, VALUES), {
    code: 'secret.not_found',
    message: 'secret shop_cert, which the application shop calls external, not found',
  })
  await assert.rejects(putStackSecrets(secrets, SHOP, { secrets: {}, configs: VALUES.configs }), /has no value for/)
  assert.deepEqual([...(await secrets.list('secret')), ...(await secrets.list('config'))], [])
})

test('a stack takes along what it brought, but not what others made or use', async (t) => {
  const { secrets, store } = rig(t)
  await putStackSecrets(secrets, SHOP, VALUES)
  await secrets.create('secret', { name: 'others', labels: {}, value: Buffer.from('x') })
  const spec = { secrets: [], configs: [{ secret: 'shop_conf' }] }
  const service = { id: 's', name: 'svc', state: 'active', revision: 1, rollout: null }
  const revision = { serviceId: 's', number: 1, spec, parts: { secrets: [], configs: [] } }
  await store.write({
    puts: [
      { key: keyOf('service', 's'), value: service },
      { key: keyOf('revision', 's', 1), value: revision },
    ],
  })
  await removeStackSecrets(secrets, 'shop')
  assert.deepEqual(
    (await secrets.list('secret')).map(({ name }) => name),
    ['others'],
  )
  assert.equal((await secrets.list('config')).length, 1)
  await store.write({ deletes: [keyOf('service', 's')] })
  await removeStackSecrets(secrets, 'shop')
  assert.deepEqual(await secrets.list('config'), [])
})
