import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'

import { dashboardError } from './errors.ts'

/** Written by the build beside the files of the page. */
interface Manifest {
  readonly index: string
  readonly files: Readonly<Record<string, { readonly type: string; readonly etag: string }>>
}

interface Asset {
  readonly type: string
  readonly etag: string
  readonly isIndex: boolean
  readonly bytes: Readonly<Record<Encoding, Buffer>>
}

type Encoding = 'br' | 'gzip' | 'identity'
const ENDINGS: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz', identity: '' }

/** Their names change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_EACH_TIME = 'no-cache'

export interface Assets {
  /** False: no file of the page is at that path. Error: `dashboard.page_not_built`. */
  serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/**
 * The page's files, all read when the first one is asked for and kept: about a megabyte, and a build that replaces them under a daemon that runs
 * mixes nothing.
 */
export function pageAssets(directory: string): Assets {
  let loading: Promise<ReadonlyMap<string, Asset>> | undefined
  const load = async () => {
    try {
      return await (loading ??= readAll(directory))
    } catch (error) {
      loading = undefined
      throw dashboardError('dashboard.page_not_built', `the page of the dashboard is not in ${directory}`, {
        cause: error,
        hint: 'Build it: npm run build.',
      })
    }
  }
  return {
    serve: async (path, request, response) => {
      const asset = (await load()).get(path)
      if (asset === undefined) return false
      send(asset, request, response)
      return true
    },
  }
}

async function readAll(directory: string): Promise<ReadonlyMap<string, Asset>> {
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Manifest
  const read = async (name: string, encoding: Encoding) => await readFile(join(directory, `${name}${ENDINGS[encoding]}`))
  const entries = Object.entries(manifest.files).map(async ([name, { type, etag }]): Promise<readonly [string, Asset]> => {
    const [br, gzip, identity] = await Promise.all([read(name, 'br'), read(name, 'gzip'), read(name, 'identity')])
    const isIndex = name === manifest.index
    return [isIndex ? '/' : `/assets/${name}`, { type, etag, isIndex, bytes: { br, gzip, identity } }]
  })
  return new Map(await Promise.all(entries))
}

function send({ type, etag, isIndex, bytes }: Asset, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Cache-Control', isIndex ? ASK_EACH_TIME : FOR_EVER)
  response.setHeader('Vary', 'Accept-Encoding')
  const encoding = encodingOf(request)
  const tag = `"${etag}-${encoding}"`
  response.setHeader('ETag', tag)
  if ((request.headers['if-none-match'] ?? '').split(',').some((known) => known.trim() === tag)) {
    response.writeHead(304)
    return void response.end()
  }
  const body = bytes[encoding]
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': body.length,
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function encodingOf(request: IncomingMessage): Encoding {
  const offered = (request.headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !/;\s*q=0(?:\.0*)?$/.test(part))
    .map((part) => part.split(';')[0])
  return offered.includes('br') ? 'br' : offered.includes('gzip') ? 'gzip' : 'identity'
}
