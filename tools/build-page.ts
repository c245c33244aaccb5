/** Bundles the dashboard's page into build/dashboard: files whose names change with their content, each compressed beforehand, and a manifest of them. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { build, type BuildOptions } from 'esbuild'

/** What a browser fetches of the page, everything together: a second over a slow line. */
export const MAX_COMPRESSED_BYTES = 300 * 1024

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const ENTRY = 'src/dashboard/page/main.tsx'
const INDEX = 'index.html'

export interface BuiltPage {
  /** Of all files, as a browser that knows brotli fetches them. */
  readonly compressedBytes: number
  readonly names: readonly string[]
}

export async function buildPage(home: string, out: string): Promise<BuiltPage> {
  const { outputFiles } = await build(optionsOf(home))
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]))
  files.set(INDEX, Buffer.from(indexOf([...files.keys()])))
  const directory = join(out, 'dashboard')
  mkdirSync(directory, { recursive: true })
  const compressed = [...files].map(([name, content]) => put(directory, name, content))
  const compressedBytes = compressed.reduce((sum, bytes) => sum + bytes, 0)
  if (compressedBytes > MAX_COMPRESSED_BYTES)
    throw new Error(`the dashboard's page has ${compressedBytes} bytes compressed; the most is ${MAX_COMPRESSED_BYTES}`)
  const entries = [...files].map(([name, content]) => [name, { type: TYPES[extname(name)], etag: digestOf(content) }])
  replace(directory, 'manifest.json', Buffer.from(JSON.stringify({ index: INDEX, files: Object.fromEntries(entries) })))
  const kept = new Set(['manifest.json', ...[...files.keys()].flatMap((name) => [name, `${name}.br`, `${name}.gz`])])
  for (const name of readdirSync(directory)) if (!kept.has(name)) rmSync(join(directory, name))
  return { compressedBytes, names: [...files.keys()] }
}

function optionsOf(home: string) {
  return {
    absWorkingDir: home,
    entryPoints: [ENTRY],
    outdir: 'page',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    entryNames: 'page-[hash]',
    chunkNames: 'part-[hash]',
    logLevel: 'warning',
  } as const satisfies BuildOptions
}

function indexOf(names: readonly string[]): string {
  const named = (start: string, end: string) => names.find((name) => name.startsWith(start) && name.endsWith(end)) ?? ''
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<title>Glovebox</title>',
    `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">`,
    `<link rel="stylesheet" href="/assets/${named('page-', '.css')}">`,
    `<script type="module" src="/assets/${named('page-', '.js')}"></script>`,
    '</head>',
    '<body><div id="page"></div><noscript>The dashboard needs JavaScript.</noscript></body>',
    '</html>',
    '',
  ].join('\n')
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="1" y="3" width="14" height="10" rx="2" fill="#0f766e"/><circle cx="5.5" cy="8" r="2" fill="#fff"/><circle cx="10.5" cy="8" r="2" fill="#fff"/></svg>'

/** Writes a file in its three forms, and gives the size of the smallest. What is there already under a name of its content is left alone. */
function put(directory: string, name: string, content: Buffer): number {
  const isThere = name !== INDEX && ['', '.br', '.gz'].every((ending) => existsSync(join(directory, `${name}${ending}`)))
  // Compressing as well as can be takes most of the time of the build.
  if (isThere) return statSync(join(directory, `${name}.br`)).size
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  const br = brotliCompressSync(content, { params })
  replace(directory, name, content)
  replace(directory, `${name}.br`, br)
  replace(directory, `${name}.gz`, gzipSync(content, { level: 9 }))
  return br.length
}

function replace(directory: string, name: string, content: Uint8Array): void {
  const temporary = join(directory, `.${name}.${process.pid}`)
  writeFileSync(temporary, content)
  renameSync(temporary, join(directory, name))
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16)
}
