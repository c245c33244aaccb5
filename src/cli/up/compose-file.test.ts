import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { readComposeFile, type ComposeChoice } from './compose-file.ts'

const NOTHING: ComposeChoice = { place: undefined, stackName: undefined, profiles: [] }
const app = (image: string, more = '') => `services: { web: { image: "${image}" ${more} } }\n`

/** Reads what is chosen among the files, from `cwd` below them. */
async function imagesOf(
  files: Readonly<Record<string, string>>,
  choice: Partial<ComposeChoice>,
  { cwd = '.', env = {} }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<readonly string[]> {
  const root = mkdtempSync(join(tmpdir(), 'gbx-compose-file-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    mkdirSync(join(root, cwd), { recursive: true })
    const { spec } = await readComposeFile({ ...NOTHING, ...choice }, { cwd: join(root, cwd), env })
    return spec.services.map(({ task, name }) => `${name}=${task.image}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('the file is here or above, and its override on top of it', async () => {
  const files = { 'compose.yaml': app('a'), 'compose.override.yml': app('b'), 'docker-compose.yml': app('c') }
  assert.deepEqual(await imagesOf(files, {}), ['web=b'])
  assert.deepEqual(await imagesOf(files, {}, { cwd: 'deep/down' }), ['web=b'])
  assert.deepEqual(await imagesOf(files, { place: '.' }), ['web=b'])
  assert.deepEqual(await imagesOf(files, { place: 'docker-compose.yml' }), ['web=c'])
  await assert.rejects(imagesOf({}, { place: '.' }), /there is no Compose file in/)
})

test('files that are named come in their order, from the command line, the environment or .env', async () => {
  const files = { 'a.yaml': app('a'), 'b.yaml': app('b'), '.env': 'COMPOSE_FILE=b.yaml:a.yaml\n' }
  assert.deepEqual(await imagesOf(files, { files: ['a.yaml', 'b.yaml'] }), ['web=b'])
  assert.deepEqual(await imagesOf(files, {}), ['web=a'])
  const env = { COMPOSE_FILE: 'a.yaml,b.yaml', COMPOSE_PATH_SEPARATOR: ',' }
  assert.deepEqual(await imagesOf(files, {}, { env }), ['web=b'])
  await assert.rejects(imagesOf(files, { files: ['gone.yaml'] }), /no such file or directory: .*gone\.yaml/)
})

test('variables come from the environment, then from .env or the files that are named', async () => {
  const files = { 'compose.yaml': app('$A-$B'), '.env': 'A=1\nB=1\n', 'x.env': 'A=2\nB=2\n', 'y.env': 'B=3\n' }
  assert.deepEqual(await imagesOf(files, {}, { env: { A: '0' } }), ['web=0-1'])
  assert.deepEqual(await imagesOf(files, { envFiles: ['x.env', 'y.env'] }), ['web=2-3'])
  assert.deepEqual(await imagesOf(files, {}, { env: { COMPOSE_ENV_FILES: 'x.env' } }), ['web=2-2'])
  assert.deepEqual(await imagesOf(files, {}, { env: { COMPOSE_DISABLE_ENV_FILE: '1' } }), ['web=-'])
})

test('profiles come from both, and paths start in the project directory', async () => {
  const text =
    'services:\n  web: { image: a }\n  one: { image: b, profiles: [one] }\n  two: { image: c, profiles: [two], env_file: e }\n'
  const files = { 'compose.yaml': text, 'sub/e': 'X=1\n' }
  assert.deepEqual(await imagesOf(files, { profiles: ['one'] }), ['web=a', 'one=b'])
  const env = { COMPOSE_PROFILES: 'one,two' }
  await assert.rejects(imagesOf(files, {}, { env }), /file e does not exist/)
  assert.deepEqual(await imagesOf(files, { projectDirectory: 'sub', files: ['compose.yaml'] }, { env }), [
    'web=a',
    'one=b',
    'two=c',
  ])
})
