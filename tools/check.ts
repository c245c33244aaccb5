import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { coveragePage } from '../test/client/api/coverage-page.ts'
import { composePage, ROWS as COMPOSE_ROWS } from './compose/page.ts'
import { dockerfilePage, ROWS } from './dockerfile/page.ts'
import { errorCodes, errorsPage } from './error-codes.ts'
import { ambient, cycles, layers, readSources, shape, type Violation } from './rules/index.ts'

const ROOT = join(import.meta.dirname, '..')
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)

interface Outcome {
  readonly name: string
  readonly isOk: boolean
  readonly output: string
  readonly ms: number
}

/** Everything that reads the code without running it, side by side. Exit code 1 when anything is reported. */
async function main(): Promise<void> {
  const outcomes = await Promise.all([
    tool('types', bin('tsc'), ['-p', '.']),
    tool('types of the page', bin('tsc'), ['-p', 'src/dashboard/page']),
    tool('lint', bin('oxlint'), ['--type-aware', '--deny-warnings', 'src', 'tools', 'test', 'bench']),
    tool('format', bin('oxfmt'), ['--check']),
    tool('dead code', bin('knip'), ['--no-progress']),
    house(),
    errorsDocumented(),
    page(`Dockerfile page, ${ROWS.length} rows`, 'docs/dockerfile.md', dockerfilePage, 'node tools/dockerfile-page.ts'),
    page(`Compose page, ${COMPOSE_ROWS.length} rows`, 'docs/compose.md', composePage, 'node tools/compose-page.ts'),
    page('operations page', 'docs/api-coverage.md', coveragePage, 'node tools/api-coverage.ts'),
  ])
  for (const outcome of outcomes) {
    process.stdout.write(`${outcome.isOk ? 'ok  ' : 'FAIL'} ${outcome.name} (${Math.round(outcome.ms)} ms)\n`)
    if (!outcome.isOk) process.stdout.write(`${outcome.output.trimEnd()}\n`)
  }
  process.exitCode = outcomes.every((outcome) => outcome.isOk) ? 0 : 1
}

async function tool(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  const start = performance.now()
  const child = spawn(command, [...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`))
      resolve(127)
    })
    child.on('close', (exitCode) => resolve(exitCode ?? 1))
  })
  return { name, isOk: code === 0, output: Buffer.concat(chunks).toString(), ms: performance.now() - start }
}

/** Our own rules: layers, cycles, ambient time and the like. */
async function house(): Promise<Outcome> {
  const start = performance.now()
  const files = readSources(ROOT, ['src/**/*.ts', 'src/**/*.tsx', 'tools/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts'])
  const violations: readonly Violation[] = [layers, cycles, ambient, shape].flatMap((rule) => rule(files))
  const output = violations.map((found) => `${found.path}:${found.line}: ${found.rule}: ${found.message}`).join('\n')
  return await Promise.resolve({
    name: `house rules, ${files.length} files`,
    isOk: violations.length === 0,
    output,
    ms: performance.now() - start,
  })
}

/** The page of errors is what the code declares. */
async function errorsDocumented(): Promise<Outcome> {
  const start = performance.now()
  const codes = errorCodes(ROOT)
  const twice = codes.filter(({ code }, index) => codes[index + 1]?.code === code).map(({ code }) => `${code} is declared twice`)
  const isSame = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8') === errorsPage(codes)
  const output = [...twice, ...(isSame ? [] : ['docs/errors.md is not what the code declares: run node tools/errors.ts'])].join(
    '\n',
  )
  return await Promise.resolve({
    name: `errors page, ${codes.length} codes`,
    isOk: output === '',
    output,
    ms: performance.now() - start,
  })
}

/** A page that is written from a table which tests run over says what the table says. */
async function page(name: string, path: string, made: () => string, command: string): Promise<Outcome> {
  const start = performance.now()
  const isOk = readFileSync(join(ROOT, path), 'utf8') === made()
  const output = isOk ? '' : `${path} is not what its table says: run ${command}`
  return await Promise.resolve({ name, isOk, output, ms: performance.now() - start })
}

await main()
