import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Flag } from '../../src/cli/args/flags.ts'
import { commandNamed } from '../../src/cli/command-names.ts'
import { commandTable, REFUSED } from '../../src/cli/table.ts'
import { dockerClients } from '../support/docker.ts'
import { run } from '../support/processes.ts'

/** `build` speaks BuildKit's words and has tests of its own; `completion` takes the shell as an operand. */
const ELSEWHERE = ['build', 'image build', 'builder build', 'completion']

interface DockerFlag {
  readonly name: string
  readonly short: string | undefined
  readonly hasValue: boolean
}

const helpOf = async (path: string, ...words: readonly string[]) => (await run(path, [...words, '--help'])).stdout

/** The names below the headings of commands. */
function commandsIn(help: string): readonly string[] {
  const lines = help.slice(help.search(/^(Common|Management )?Commands:/m)).split('\n')
  return lines.flatMap((line) => /^ {2}([a-z]+)\*? {2,}\S/.exec(line)?.[1] ?? [])
}

function flagsIn(help: string): readonly DockerFlag[] {
  return [...help.matchAll(/^ +(?:-([a-zA-Z]), +)?--([a-z0-9-]+)(?: ([a-z-]+))? {2,}/gm)].map(([, short, name = '', value]) => ({
    name,
    short,
    hasValue: value !== undefined,
  }))
}

test('every command and flag of docker is here, or refused by name', async () => {
  const path = dockerClients().at(-1) ?? ''
  const missing: string[] = []
  const check = async (words: readonly string[]) => {
    const name = words.join(' ')
    if (ELSEWHERE.includes(name) || Object.hasOwn(REFUSED, name)) return
    const entry = commandNamed(commandTable, name)
    if (entry === undefined) return void missing.push(name)
    const { flags } = await entry.load()
    const named = (wanted: string) =>
      Object.entries(flags).find(
        ([long, flag]: [string, Flag]) => long === wanted || flag.aliases?.includes(wanted) === true,
      )?.[1]
    for (const { name: long, short, hasValue } of flagsIn(await helpOf(path, ...words))) {
      if (long === 'help') continue
      const flag = named(long)
      if (flag === undefined || (short !== undefined && flag.short !== short)) missing.push(`${name} -${short ?? ''} --${long}`)
      else if (flag.kind !== 'refused' && (flag.kind !== 'boolean') !== hasValue)
        missing.push(`${name} --${long} takes ${hasValue ? 'a' : 'no'} value`)
    }
  }
  // The daemon of nobody: help asks none.
  const tops = commandsIn(await helpOf(path)).filter((name) => !Object.hasOwn(REFUSED, name) && !ELSEWHERE.includes(name))
  await Promise.all(
    tops.map(async (top) => {
      const help = await helpOf(path, top)
      const members = /^Usage: +docker [a-z]+ COMMAND/m.test(help) ? commandsIn(help) : []
      await Promise.all(members.length === 0 ? [check([top])] : members.map((member) => check([top, member])))
    }),
  )
  assert.deepEqual(missing.toSorted(), [], path)
})
