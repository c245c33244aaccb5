/** Bundles what ships: the command line into build/cli.js, the daemon into build/daemon.js. Each replaces the old one in one step. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { build, type BuildOptions } from 'esbuild'

const home = join(import.meta.dirname, '..')
const out = join(home, 'build')

const options: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // koffi loads a binary that lies beside it.
  external: ['koffi'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // Names stay: they are what a stack trace is read by.
  minifyIdentifiers: false,
  absWorkingDir: home,
  logLevel: 'warning',
  // CommonJS dependencies inside an ES module ask for Node's own modules with require.
  banner: { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" },
}

async function bundle(entry: string, name: string): Promise<void> {
  if (!existsSync(join(home, entry))) throw new Error(`${entry} is missing`)
  const temporary = join(out, `.${name}.${process.pid}`)
  try {
    await build({ ...options, entryPoints: [entry], outfile: temporary })
    const target = join(out, name)
    // An unchanged bundle keeps its time and with it Node's compile cache.
    if (existsSync(target) && readFileSync(target).equals(readFileSync(temporary))) return
    renameSync(temporary, target)
  } finally {
    rmSync(temporary, { force: true })
  }
}

mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'package.json'), '{"type":"module"}\n')
await Promise.all([bundle('src/cli/main.ts', 'cli.js'), bundle('src/daemon/main.ts', 'daemon.js')])
