import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import type { Client } from '#client'

import type { CliContext } from '../command.ts'
import { commandTable } from '../table.ts'
import { completionsOf } from './complete.ts'

const container = (name: string, State: string) => ({
  Id: 'ab'.repeat(32),
  Names: [`/${name}`],
  Image: 'web:1',
  State,
  Status: State,
})

/** Just so much of a daemon as completion asks. */
function context(): CliContext {
  const all = [container('web', 'running'), container('worker', 'running'), container('old', 'exited')]
  const client = {
    containers: {
      list: async ({ filters }: { filters?: string }) => {
        const { status } = JSON.parse(filters ?? '{}') as { status?: readonly string[] }
        return await Promise.resolve(all.filter((one) => status?.includes(one.State) ?? true))
      },
    },
    images: { list: async () => await Promise.resolve([{ Id: `sha256:${'c'.repeat(64)}`, RepoTags: ['app:1', 'base:latest'] }]) },
    networks: { list: async () => await Promise.resolve([{ Name: 'bridge', Driver: 'bridge' }]) },
    volumes: { list: async () => await Promise.resolve([{ Name: 'data', Driver: 'local' }]) },
  }
  return {
    commands: commandTable,
    client: async () => await Promise.resolve(client as unknown as Client),
  } as unknown as CliContext
}

const words = async (...typed: string[]) => (await completionsOf(typed, context())).words.map(({ word }) => word)
const rest = async (...typed: string[]) => (await completionsOf(typed, context())).rest

test('commands, their members and their flags are completed', async () => {
  assert.deepEqual(await words('re'), ['registry', 'rename', 'restart', 'resume'])
  assert.ok((await words('')).includes('container'))
  assert.deepEqual(await words('volume', 'p'), ['prune'])
  assert.deepEqual(await words('run', '--publish'), ['--publish', '--publish-all'])
  assert.deepEqual(await words('-H', '/run/x.sock', 'vers'), ['version'])
  assert.deepEqual(await words('run', '--pull', 'a'), ['always'])
  assert.deepEqual(await words('run', '--pull=n'), ['--pull=never'])
})

test('names are those that fit the command', async () => {
  assert.deepEqual(await words('stop', ''), ['web', 'worker'])
  assert.deepEqual(await words('start', ''), ['old'])
  assert.deepEqual(await words('logs', '-f', 'w'), ['web', 'worker'])
  assert.deepEqual(await words('container', 'rm', 'o'), ['old'])
  assert.deepEqual(await words('run', '--rm', '-it', 'a'), ['app:1'])
  assert.deepEqual(await words('run', '--network', 'b'), ['bridge'])
  assert.deepEqual(await words('run', '--network=b'), ['--network=bridge'])
  assert.deepEqual(await words('inspect', 'da'), ['data'])
  assert.deepEqual(await words('logs', 'ab'), ['abababababab'])
})

test('where no name fits, the shell completes files or nothing', async () => {
  assert.equal(await rest('cp', 'x'), 'files')
  assert.equal(await rest('run', 'app:1', 'ls', '/'), 'files')
  assert.equal(await rest('load', '-i', ''), 'files')
  assert.equal(await rest('build', ''), 'directories')
  assert.equal(await rest('nosuch', 'x'), 'none')
  assert.equal(await rest('ps', ''), 'none')
})

test('a value that is typed is not taken for an operand', async () => {
  assert.deepEqual(await words('run', '--name', 'run', '--net'), ['--network', '--network-alias'])
  assert.deepEqual(await words('exec', '-e', 'A=b', 'w'), ['web', 'worker'])
})

test('every answer begins with what was typed', async () => {
  const known = commandTable.flatMap((entry) => entry.name.split(' '))
  const typed = fc.array(fc.oneof(fc.constantFrom(...known, '--', '-', '--name', '-it', '-e', ''), fc.string()), {
    minLength: 1,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(typed, async (line) => {
      const found = await completionsOf(line, context())
      for (const { word } of found.words) assert.ok(word.startsWith(line.at(-1) ?? ''))
    }),
    { numRuns: 300 },
  )
})
