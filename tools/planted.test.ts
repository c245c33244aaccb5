import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** Runs a tool over one planted file inside the tree, with the tree's own configuration. */
function onPlanted(
  text: string,
  tool: string,
  args: (path: string) => readonly string[],
): { status: number | null; output: string } {
  mkdirSync(join(ROOT, 'build'), { recursive: true })
  const directory = mkdtempSync(join(ROOT, 'tools', 'planted-'))
  try {
    const path = join(directory, 'planted.ts')
    writeFileSync(path, text)
    const result = spawnSync(join(ROOT, 'node_modules/.bin', tool), [...args(path)], { cwd: ROOT, encoding: 'utf8' })
    return { status: result.status, output: `${result.stdout}${result.stderr}` }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('the compiler reports a planted type error and an index that may be absent', () => {
  const text = "export const a: number = 'x'\nexport const b: string = ['x'][0]\n"
  const { status, output } = onPlanted(text, 'tsc', () => ['-p', '.'])
  assert.notEqual(status, 0)
  assert.match(output, /planted\.ts\(1,\d+\): error TS2322/)
  assert.match(output, /planted\.ts\(2,\d+\): error TS2322/)
})

test('the linter reports a planted floating promise, which takes the types to see', () => {
  const { status, output } = onPlanted('async function work(): Promise<void> {}\nwork()\n', 'oxlint', (path) => [
    '--type-aware',
    path,
  ])
  assert.notEqual(status, 0)
  assert.match(output, /no-floating-promises/)
})

test('the formatter reports a planted semicolon', () => {
  const { status } = onPlanted('export const a = 1;\n', 'oxfmt', (path) => ['--check', path])
  assert.notEqual(status, 0)
})
