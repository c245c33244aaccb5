import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '../../src/base/index.ts'
import { compileSchema } from '../../src/cluster/spec/compile-schema.ts'
import { readStackSpec, type ComposeReading } from '../../src/cluster/spec/index.ts'
import { printableModel } from '../../src/cluster/spec/print-model.ts'
import { readComposeWith } from '../../src/cluster/spec/read-compose.ts'
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

function read(file: Tree): ComposeReading {
  const input = {
    ...{ path: '/app/compose.yaml', text: JSON.stringify(file), directory: '/app', environment: { HOME: '/home/u' } },
    ...{ dotEnv: null, stackName: null, profiles: null, readFile: (path: string) => FILES[path] ?? null },
  }
  return readComposeWith(input, schema)
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

function refusalOf(file: Tree): unknown {
  try {
    read(file)
    return undefined
  } catch (error) {
    return error
  }
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
  test(`${row.fields[0]} is read, and ${row.state === 'none' ? 'changes nothing' : 'changes the model'}`, () => {
    const file = usedFileOf(row)
    const reading = read(file)
    const whole = summaryOf(reading)
    assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(reading.spec))), reading.spec)
    const again = read(JSON.parse(JSON.stringify(printableModel(reading))) as Tree)
    assert.deepEqual(again.spec.services, reading.spec.services, 'what is printed says the same')
    for (const field of row.fields) {
      const places = placesOf(file, partsOf(field))
      assert.ok(places.length > 0, `${field} is in its example`)
      if (field === 'services') continue
      const changes = places.map((place) => {
        try {
          return summaryOf(read(withoutPlace(file, place))) !== whole
        } catch (error) {
          assert.ok(error instanceof GloveboxError)
          return true
        }
      })
      assert.equal(changes.includes(true), row.state !== 'none', `${field} has ${row.state === 'none' ? 'no' : 'an'} effect`)
    }
  })

for (const row of ROWS.filter(({ state }) => state === 'refused'))
  test(`${row.fields[0]} is refused by name`, () => {
    const error = refusalOf(usedFileOf(row))
    assert.ok(error instanceof GloveboxError && error.code === 'compose.invalid', String(error))
    for (const field of row.fields) assert.ok(placesOf(usedFileOf(row), partsOf(field)).length > 0, `${field} is in its example`)
    const names = (row.fields[0] ?? '').replaceAll('[]', '').split('.')
    assert.match(error.message, /^\/app\/compose\.yaml:\d+:\d+ /)
    assert.ok(
      names.some((name) => name !== '*' && error.message.includes(`"${name}"`)),
      error.message,
    )
  })

/** Rows of one service that can stand together, more or less: what contradicts itself is refused. */
const SERVICE_EXAMPLES = ROWS.filter(({ state, web, file }) => state !== 'refused' && web !== undefined && file === undefined)

/** The default network is said last when it is printed, and first when it is not said at all. */
const ordered = (spec: ComposeReading['spec']) => ({
  ...spec,
  networks: spec.networks.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
})

test('whatever fields come together, what is accepted holds on the wire and when it is printed', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: SERVICE_EXAMPLES.length - 1 }), { minLength: 1, maxLength: 8 }), (picked) => {
      const web = Object.assign({}, ...picked.map((index) => SERVICE_EXAMPLES[index]?.web)) as Tree
      const file = usedFileOf({ fields: [], state: 'yes', web })
      let reading: ComposeReading
      try {
        reading = read(file)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'compose.invalid', String(error))
        return
      }
      accepted += 1
      assert.deepEqual(readStackSpec(JSON.parse(JSON.stringify(reading.spec))), reading.spec)
      assert.deepEqual(ordered(read(JSON.parse(JSON.stringify(printableModel(reading))) as Tree).spec), ordered(reading.spec))
    }),
    { numRuns: 100 },
  )
  assert.ok(accepted > 25, `${accepted} of 100 were accepted`)
})
