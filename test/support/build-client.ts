import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

export type Report = Readonly<Record<string, unknown>> & { readonly kind: string }

export interface BuildAnswer {
  readonly reports: readonly Report[]
  readonly imageId: string
}

export interface BuildOptions {
  readonly key?: string
  readonly signal?: AbortSignal
  readonly onReport?: (report: Report) => void | Promise<void>
}

type Entry = readonly [string, 'file' | 'directory' | 'symlink', number, number, number, string, string]

/** A client of our own build API, as small as it can be: lists a directory, sends what the daemon lacks, reads the reports. */
export async function buildDirectory(
  socketPath: string,
  directory: string,
  wish: Readonly<Record<string, unknown>>,
  { key = directory, signal, onReport }: BuildOptions = {},
): Promise<BuildAnswer> {
  const entries = listContext(directory)
  const list = `${[{ key }, ...entries].map((line) => JSON.stringify(line)).join('\n')}\n`
  const compared = await readJson(await send(socketPath, 'POST', '/glovebox/v1/builds/contexts', Readable.from([list])))
  const { session, wanted } = compared as { readonly session: string; readonly wanted: readonly number[] }
  const body = Readable.from(
    bodyOf(
      directory,
      wish,
      wanted.map((index) => entries[index]?.[0] ?? ''),
    ),
  )
  const answer = await send(socketPath, 'POST', `/glovebox/v1/builds?session=${session}`, body, signal)
  const reports: Report[] = []
  for await (const line of createInterface({ input: answer })) {
    const report = JSON.parse(line) as Report & { readonly error?: { readonly code: string; readonly message: string } }
    if (report.error !== undefined) throw Object.assign(new Error(report.error.message), { code: report.error.code, reports })
    reports.push(report)
    await onReport?.(report)
  }
  const id = reports.findLast(({ kind }) => kind === 'image')?.['id']
  return { reports, imageId: typeof id === 'string' ? id : '' }
}

/** Without waiting for each file: thousands of turns of the event loop cost more than the kernel's answers. */
function listContext(root: string): readonly Entry[] {
  const entries: Entry[] = []
  const visit = (directory: string): void => {
    for (const name of readdirSync(join(root, directory)).toSorted()) {
      const path = directory === '' ? name : `${directory}/${name}`
      const stats = lstatSync(join(root, path))
      const type = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'symlink' : 'file'
      const link = type === 'symlink' ? readlinkSync(join(root, path)) : ''
      const signature = `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`
      entries.push([path, type, stats.mode & 0o7777, stats.size, Math.floor(stats.mtimeMs / 1000), signature, link])
      if (type === 'directory') visit(path)
    }
  }
  visit('')
  return entries
}

async function* bodyOf(directory: string, wish: object, files: readonly string[]): AsyncGenerator<Buffer> {
  yield lengthAnd(Buffer.from(JSON.stringify(wish)))
  for (const path of files) yield lengthAnd(await readFile(join(directory, path)))
}

function lengthAnd(bytes: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes.length))
  return Buffer.concat([length, bytes])
}

export async function send(
  socketPath: string,
  method: string,
  path: string,
  body?: Readable,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath, method, path, ...(signal === undefined ? {} : { signal }) }, resolve)
    asked.on('error', reject)
    if (body === undefined) asked.end()
    else body.pipe(asked)
  })
  if ((answer.statusCode ?? 500) < 300) return answer
  const error = (await readJson(answer)) as { readonly message: string; readonly code: string }
  throw Object.assign(new Error(error.message), { code: error.code })
}

export async function readJson(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown
}
