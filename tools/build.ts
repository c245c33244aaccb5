/** Bundles what ships: the command line into build/cli.cjs, the daemon into build/daemon.js, the part of the command line that it uses, and the dashboard's page. Each replaces the old one in one step. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { build, type BuildOptions, type Plugin } from 'esbuild'

import { standaloneValidator } from '../src/cluster/spec/standalone-validator.ts'

import { buildPage } from './build-page.ts'

const home = join(import.meta.dirname, '..')
const out = join(home, 'build')

/** Loading a module of Node's changes nothing: one whose exports nobody uses need not be loaded (crypto alone takes milliseconds). */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup: ({ onResolve }) => onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false })),
}

/** The Compose schema becomes a function now, so that reading a file does not wait 120 ms for ajv to compile it. */
const compiledSchema: Plugin = {
  name: 'compiled-schema',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/cluster\/spec\/compile-schema\.ts$/ }, () => ({ contents: standaloneValidator(), loader: 'js' })),
}

const common: BuildOptions = {
  plugins: [lazyBuiltins, compiledSchema],
  bundle: true,
  platform: 'node',
  target: 'node24',
  // koffi loads a binary that lies beside it.
  external: ['koffi'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // Names stay: they are what a stack trace is read by.
  minifyIdentifiers: false,
  absWorkingDir: home,
  logLevel: 'warning',
}

/**
 * CommonJS, because an ES module that imports node:http has every export of it read, the one that loads Node's fetch too: 30 ms.
 * Libraries are files of their own, for most commands use none of them. V8's compiled code is kept on disk; the small file that
 * turns this on is apart from the one that it is for.
 */
async function bundleCli(): Promise<void> {
  const libraries = new Set<string>()
  const define = { 'import.meta.dirname': '__dirname' }
  await bundle(
    {
      ...common,
      entryPoints: ['src/cli/main.ts'],
      format: 'cjs',
      define,
      plugins: [lazyBuiltins, compiledSchema, librariesApart(libraries)],
    },
    'cli-main.cjs',
  )
  await bundle(
    {
      ...common,
      entryPoints: ['src/cli/index.ts'],
      format: 'cjs',
      define,
      plugins: [lazyBuiltins, compiledSchema, librariesApart(libraries)],
    },
    DRAWN_BY_DAEMON,
  )
  await Promise.all([...libraries].map((name) => bundle({ ...common, entryPoints: [name], format: 'cjs' }, libraryFile(name))))
  replace('cli.cjs', Buffer.from("require('node:module').enableCompileCache(__dirname+'/cache');require('./cli-main.cjs')\n"))
}

function librariesApart(found: Set<string>): Plugin {
  return {
    name: 'libraries-apart',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined
        found.add(path)
        return { path: `./${libraryFile(path)}`, external: true, sideEffects: false }
      }),
  }
}

function libraryFile(name: string): string {
  return `lib-${name.replaceAll(/[^a-z0-9.]+/g, '-').replace(/\.c?js$/, '')}.cjs`
}

/** The command line as the daemon uses it: loaded by those that draw with it, apart from those that never do. */
const DRAWN_BY_DAEMON = 'cli-lib.cjs'

const commandLineApart: Plugin = {
  name: 'command-line-apart',
  setup: ({ onResolve }) => onResolve({ filter: /^#cli$/ }, () => ({ path: `./${DRAWN_BY_DAEMON}`, external: true })),
}

const daemon: BuildOptions = {
  ...common,
  plugins: [...(common.plugins ?? []), commandLineApart],
  entryPoints: ['src/daemon/main.ts'],
  format: 'esm',
  // CommonJS dependencies inside an ES module ask for Node's own modules with require.
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
}

async function bundle(options: BuildOptions, name: string): Promise<void> {
  const { outputFiles } = await build({ ...options, outfile: join(out, name), write: false })
  for (const file of outputFiles ?? []) replace(name, file.contents)
}

/** An unchanged file keeps its time, and with it what Node has compiled of it. */
function replace(name: string, content: Uint8Array): void {
  const target = join(out, name)
  if (existsSync(target) && readFileSync(target).equals(content)) return
  const temporary = join(out, `.${name}.${process.pid}`)
  writeFileSync(temporary, content)
  renameSync(temporary, target)
}

mkdirSync(out, { recursive: true })
replace('package.json', Buffer.from('{"type":"module"}\n'))
await Promise.all([bundleCli(), bundle(daemon, 'daemon.js'), buildPage(home, out)])
