import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { compileSchema } from './compile-schema.ts'
import type { SchemaError } from './schema-error.ts'
import { standaloneValidator } from './standalone-validator.ts'

const FILES: readonly unknown[] = [
  { services: { web: { image: 'x', ports: ['80:80'], deploy: { replicas: 2 } } } },
  { services: { web: { imagee: 'x', ports: 3, healthcheck: { retries: [] } } }, volumess: {} },
  { services: [] },
  { 'x-glovebox': { routes: [{ nam: 'x' }], policy: 3 }, services: { web: { image: 'x', 'x-glovebox': { priority: [] } } } },
  { services: { web: { build: { contextt: '.' }, environment: { A: [] } } } },
]

describe('the validator that was compiled beforehand', () => {
  it('says the same as the one compiled at run time', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gbx-schema-'))
    try {
      const path = join(directory, 'validator.mjs')
      writeFileSync(path, standaloneValidator())
      const module = (await import(path)) as { readonly compileSchema: typeof compileSchema }
      const [beforehand, now] = await Promise.all([module.compileSchema(), compileSchema()])
      const places = (errors: readonly SchemaError[]) => errors.map((error) => [error.instancePath, error.keyword, error.params])
      for (const file of FILES) assert.deepEqual(places(beforehand(file)), places(now(file)))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
