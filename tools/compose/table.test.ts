import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError } from '../../src/base/index.ts'
import { compileSchema } from '../../src/cluster/spec/compile-schema.ts'
import { readCompose, readStackSpec, type ComposeReading } from '../../src/cluster/spec/index.ts'
import { printableModel } from '../../src/cluster/spec/print-model.ts'
import { ROWS } from './page.ts'
import { schemaFields } from './schema-fields.ts'
import type { Row } from './row.ts'

type Tree = { [key: string]: unknown }

const FILES: Readonly<Record<string, string>> = {
  '/app/web.env': "FROM_FILE='x'\n",
  '/app/base.yaml': 'services: { base: { user: base } }\n',
  '/app/more.yaml': 'services: { more: { image: "more:$FROM_FILE", volumes: ["./x:/x"] } }\n',
  '/app/seccomp.json': '{}',
}

const schema = await compileSchema()

async function read(file: Tree): Promise<ComposeReading> {
  return await readCompose({
    ...{ path: '/app/compose.yaml', text: JSON.stringify(file), directory: '/app', environment: { HOME: '/home/u' } },
    ...{ dotEnv: null, stackName: null, profiles: null, readFile: (path: string) => FILES[path] ?? null, schema },
  })
}

/** A file in which the rows' examples mean something. */
function fileOf({ web = {}, file = {} }: Row): Tree {
  return {
    services: {
      web: { image: 'x', ...web },
      db: { image: 'y' },
    },
    networks: { back: {} },
    volumes: { data: {} },
    secrets: { token: { file: './t' } },
    configs: { conf: { content: 'c' } },
    ...file,
  }
}

/** Grants and uses everything, so that a change at the top shows. */
function usedFileOf(row: Row): Tree {
  const file = structuredClone(fileOf(row))
  const services = file['services'] as { [key: string]: Tree }
  if (row.web === undefined && services['db'] !== undefined)
    Object.assign(services['db'], { secrets: ['token'], configs: ['conf'], volumes: ['data:/d'], networks: ['back'] })
  return file
}

const summaryOf = ({ spec, builds, watches, pullPolicies, restarts, unattached, values }: ComposeReading) =>
  JSON.stringify([spec, builds, watches, pullPolicies, restarts, unattached, values])

/** Every place of the field in the file: `*` is any key, `[]` any item; a name may stand between where the table has none (ulimits, depends_on). */
function placesOf(
  value: unknown,
  parts: readonly string[],
  path: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  const [part, ...rest] = parts
  if (part === undefined) return [path]
  if (typeof value !== 'object' || value === null) return []
  if (part === '[]') return Array.isArray(value) ? value.flatMap((item, index) => placesOf(item, rest, [...path, index])) : []
  if (part === '*') return Object.entries(value).flatMap(([key, item]) => placesOf(item, rest, [...path, key]))
  if (Object.hasOwn(value, part)) return placesOf((value as Tree)[part], rest, [...path, part])
  const isNamed = ['ulimits', 'depends_on'].includes(String(path.at(-1)))
  return isNamed ? Object.entries(value).flatMap(([key, item]) => placesOf(item, parts, [...path, key])) : []
}

const partsOf = (field: string) => field.replaceAll('[]', '.[]').split('.')

function withoutPlace(file: Tree, path: readonly (string | number)[]): Tree {
  const copy = structuredClone(file)
  const parent = path.slice(0, -1).reduce((at: unknown, key) => (at as Tree)[key], copy) as Tree
  Reflect.deleteProperty(parent, path.at(-1) ?? '')
  return copy
}

test('every field of the specification has a row, and no row another one', () => {
  const rows = ROWS.flatMap(({ fields }) => fields)
  const known = schemaFields()
  assert.deepEqual(
    known.filter((field) => !rows.includes(field)),
    [],
  )
  assert.deepEqual(
    rows.filter((field) => !known.includes(field)),
    [],
  )
})

for (const row of ROWS.filter(({ state }) => state !== 'refused'))
  test(`${row.fields[0]} is read, and ${row.state === 'none' ? 'changes nothing' : 'changes the model'}`, async () => {
    const file = usedFileOf(row)
    const reading = await read(file)
    const whole = summaryOf(reading)
    assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(reading.spec))), reading.spec)
    const again = await read(JSON.parse(JSON.stringify(printableModel(reading))) as Tree)
    assert.deepEqual(again.spec.services, reading.spec.services, 'what is printed says the same')
    for (const field of row.fields) {
      const places = placesOf(file, partsOf(field))
      assert.ok(places.length > 0, `${field} is in its example`)
      if (field === 'services') continue
      const changes = await Promise.all(
        places.map(async (place) => {
          try {
            return summaryOf(await read(withoutPlace(file, place))) !== whole
          } catch (error) {
            assert.ok(error instanceof GloveboxError)
            return true
          }
        }),
      )
      assert.equal(changes.includes(true), row.state !== 'none', `${field} has ${row.state === 'none' ? 'no' : 'an'} effect`)
    }
  })

for (const row of ROWS.filter(({ state }) => state === 'refused'))
  test(`${row.fields[0]} is refused by name`, async () => {
    const error: unknown = await read(usedFileOf(row)).catch((reason: unknown) => reason)
    assert.ok(error instanceof GloveboxError && error.code === 'compose.invalid', String(error))
    for (const field of row.fields) assert.ok(placesOf(usedFileOf(row), partsOf(field)).length > 0, `${field} is in its example`)
    const names = (row.fields[0] ?? '').replaceAll('[]', '').split('.')
    assert.match(error.message, /^\/app\/compose\.yaml:\d+:\d+ /)
    assert.ok(
      names.some((name) => name !== '*' && error.message.includes(`"${name}"`)),
      error.message,
    )
  })
