import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { registryApi, serveRegistry } from '#api/registry'
import { memoryRecords, silentLog, systemClock, systemRandom } from '#base'
import { createRepositories, createTokens, openAccounts } from '#engine/repositories'

import { CASES } from './cases.ts'

let base = ''
const root = mkdtempSync(join(tmpdir(), 'glovebox-conformance-'))
const open = new AsyncDisposableStack()

before(async () => {
  const [records, random, clock, log] = [memoryRecords(), systemRandom(), systemClock(), silentLog()]
  const accounts = openAccounts(records, random, { isOpenWithoutUsers: true })
  const repositories = createRepositories({ root, records, clock, random })
  const api = registryApi({ repositories, accounts, tokens: createTokens(records, random, clock), clock, log })
  const serving = await serveRegistry({ host: '127.0.0.1', port: 0, tls: undefined, api, clock, log })
  open.defer(async () => await serving.close())
  base = `http://${serving.path}`
})
after(async () => {
  await open.disposeAsync()
  rmSync(root, { recursive: true, force: true })
})

for (const name of new Set(CASES.map(({ section }) => section)))
  describe(name, () => {
    for (const [number, one] of CASES.entries())
      if (one.section === name)
        test(one.title, async () => await one.run({ base, name: `exam/case${number}`, other: `exam/other${number}` }))
  })
