/**
 * Compiles native/*.c into build/native/glovebox-shim: `node tools/build-native.ts`. Does nothing when the sources and the
 * compiler's arguments are those of the last build. Written beside and renamed, so that a running build never sees half a program.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const ARGUMENTS = ['-static', '-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror']

export interface NativeBuild {
  readonly shimPath: string
  readonly isFresh: boolean
}

export function buildNative(root: string = ROOT, compiler = process.env['CC'] ?? 'gcc'): NativeBuild {
  const sourceDir = join(root, 'native')
  const outDir = join(root, 'build', 'native')
  const shimPath = join(outDir, 'glovebox-shim')
  const hashPath = `${shimPath}.hash`
  const hash = hashSources(sourceDir, compiler)
  if (existsSync(shimPath) && existsSync(hashPath) && readFileSync(hashPath, 'utf8') === hash) return { shimPath, isFresh: false }
  mkdirSync(outDir, { recursive: true })
  const temporary = `${shimPath}.${process.pid}.tmp`
  try {
    compile(compiler, [...ARGUMENTS, '-o', temporary, ...filesOf(sourceDir, /\.c$/).map((name) => join(sourceDir, name))])
    renameSync(temporary, shimPath)
    writeFileSync(hashPath, hash)
  } finally {
    rmSync(temporary, { force: true })
  }
  return { shimPath, isFresh: true }
}

function filesOf(dir: string, pattern: RegExp): readonly string[] {
  return readdirSync(dir)
    .filter((name) => pattern.test(name))
    .toSorted()
}

function hashSources(dir: string, compiler: string): string {
  const hash = createHash('sha256').update(JSON.stringify([compiler, ARGUMENTS]))
  for (const name of filesOf(dir, /\.[ch]$/)) hash.update(`\0${name}\0`).update(readFileSync(join(dir, name)))
  return hash.digest('hex')
}

function compile(compiler: string, args: readonly string[]): void {
  const result = spawnSync(compiler, args, { encoding: 'utf8' })
  if (result.error !== undefined)
    throw new Error(
      `build the shim: run ${compiler}: ${result.error.message}\nInstall a C compiler: apt-get install gcc libc6-dev, or name one in CC.`,
    )
  if (result.status !== 0)
    throw new Error(`build the shim: ${compiler} exited with ${result.status ?? result.signal}\n${result.stderr}`)
}

if (import.meta.main) {
  try {
    const { shimPath, isFresh } = buildNative()
    process.stdout.write(`${shimPath} ${isFresh ? 'built' : 'is up to date'}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
