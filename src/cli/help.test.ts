import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseArguments } from './args/parse.ts'
import { commandSyntax } from './command-syntax.ts'
import { membersOf } from './command-names.ts'
import { findCommand } from './find-command.ts'
import { globalFlags } from './globals.ts'
import { commandHelp, groupHelp, overview } from './help.ts'
import { painter } from './output/colour.ts'
import { commandTable, hiddenCommands, REFUSED } from './table.ts'

const plain = painter(false)
const everyEntry = [...commandTable, ...hiddenCommands]

/** The words of an example up to where the shell takes over: quotes as a shell reads them, `|`, `<` and `>` end it. */
function shellWords(line: string): readonly string[] {
  const words: string[] = []
  for (const match of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/^\d?[|<>]/.test(match[0])) break
    words.push(match[0].replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string) => single ?? double))
  }
  return words
}

test('every command has an example, and every example is a command line that runs', async () => {
  for (const entry of everyEntry) {
    const command = await entry.load()
    assert.equal(command.name, entry.name)
    assert.ok(command.examples.length > 0, `${entry.name} has no example`)
    for (const [line, what] of command.examples) {
      assert.ok(what !== '', line)
      const found = findCommand(shellWords(line))
      assert.ok(found.kind === 'command' && found.entry === entry, `${line} is not about ${entry.name}`)
      const { operands } = parseArguments(commandSyntax(command), found.rest)
      const { min, max } = command.operands
      assert.ok(operands.length >= min && operands.length <= max, `${line}: ${operands.length} operands`)
    }
  }
})

test('help shows every command and every flag, and no flag that is refused', async () => {
  const all = overview(plain)
  for (const entry of commandTable) {
    assert.ok(all.includes(`  ${entry.name} `), entry.name)
    const command = await entry.load()
    const text = commandHelp(command, plain)
    for (const [name, flag] of Object.entries(command.flags))
      assert.equal(new RegExp(`--${name}[\\s[]`).test(text), flag.kind !== 'refused', `${entry.name} --${name}`)
    for (const alias of entry.aliases) assert.ok(text.includes(`glovebox ${alias}`), alias)
  }
})

test('no name stands for two commands, and none is refused', () => {
  const names = everyEntry.flatMap((entry) => [entry.name, ...entry.aliases])
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  assert.deepEqual(
    names.filter((name) => Object.hasOwn(REFUSED, name)),
    [],
  )
})

test('letters and names of flags are clear', async () => {
  for (const entry of everyEntry) {
    const { flags } = await entry.load()
    const letters = Object.values(flags).flatMap((flag) => flag.short ?? [])
    const names = Object.entries(flags).flatMap(([name, flag]) => [name, ...(flag.aliases ?? [])])
    assert.equal(new Set(letters).size, letters.length, `${entry.name}: ${letters.join('')}`)
    assert.equal(new Set(names).size, names.length, entry.name)
  }
})

test('a group lists its commands under their own names', () => {
  assert.match(groupHelp('container', plain), /glovebox container ls .*List containers/)
  assert.match(groupHelp('container', plain), /glovebox container run /)
  assert.ok(membersOf(commandTable, 'volume').includes('volume prune'))
})

test('what is not here is refused with what to do instead, and slips are guessed', () => {
  const hintOf = (...words: string[]) => {
    try {
      findCommand(words)
    } catch (error) {
      return String((error as { hint?: string }).hint)
    }
    return ''
  }
  assert.match(hintOf('search', 'x'), /Registries are not searched/)
  assert.match(hintOf('swarm', 'init'), /glovebox up/)
  assert.match(hintOf('rnu'), /glovebox run/)
  assert.match(hintOf('container', 'lst'), /container ls/)
})

test('no command has a flag of its own under the name of a global one, which would be read in its place', async () => {
  const own = await Promise.all(
    commandTable.map(async (entry) => {
      const { flags } = await entry.load()
      return Object.keys(flags).flatMap((flag) => (Object.hasOwn(globalFlags, flag) ? [`${entry.name} --${flag}`] : []))
    }),
  )
  // The daemon's own configuration is another than the client's.
  assert.deepEqual(own.flat(), ['daemon --config', 'daemon start --config'])
})
