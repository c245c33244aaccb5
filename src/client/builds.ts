import { Readable } from 'node:stream'

import type { BuildReport, BuildWish, ComparedContext, WireContextEntry, WireDirectory } from '#api/glovebox'
import { GloveboxError } from '#base'

import { json, lines } from './call.ts'
import { checked } from './checked.ts'
import type { BuildSource, NamedDirectory } from './context/index.ts'
import type { Transport } from './transport.ts'

/** How much of a context has been sent. */
export interface ContextProgress {
  readonly fileCount: number
  /** Files whose content the daemon wanted. */
  readonly wantedCount: number
  readonly sentBytes: number
  readonly isDone: boolean
}

export interface BuildCallOptions {
  readonly signal?: AbortSignal | undefined
  readonly onContext?: (progress: ContextProgress) => void
}

/** The source says the rest. Directories are sent as the context is: what changed of them. */
export interface WishBesideSource extends Omit<BuildWish, 'context' | 'dockerfile' | 'dockerfileText' | 'directories'> {
  readonly directories: Readonly<Record<string, NamedDirectory>>
}

export interface BuildCalls {
  /** Sends what changed of the context and builds; ends with the build, whose failure is thrown. Errors: `client.context_changed`, those of the builder. */
  run(source: BuildSource, wish: WishBesideSource, options?: BuildCallOptions): AsyncIterable<BuildReport>
  /** A file that a build gives, by the token of its report; the build waits until it was read. */
  output(token: string, signal?: AbortSignal): Promise<Readable>
}

const PATH = '/glovebox/v1/builds'
/** Small files go together. */
const BATCH_BYTES = 256 * 1024
/** Each file is opened and read at once: between two batches others have a turn. */
const BATCH_PARTS = 256
/** Another build of the same directory came between the two requests: once more is enough, unless there are many. */
const MAX_TRIES = 3

/** What of a daemon takes part in a build. */
export interface BuildEndpoint {
  compare(key: string, entries: readonly WireContextEntry[], signal: AbortSignal | undefined): Promise<ComparedContext>
  /** `bodies`: of each wanted file its length, as eight bytes, and its bytes. */
  build(
    session: string,
    wish: BuildWish,
    bodies: AsyncIterable<Buffer>,
    signal: AbortSignal | undefined,
  ): AsyncIterable<BuildReport>
  output(token: string, signal: AbortSignal | undefined): Promise<Readable>
  /** Takes the wanted content of a directory beside the context; gives a session that wants nothing more. */
  store(session: string, bodies: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<string>
}

export function buildCalls(transport: Transport): BuildCalls {
  return buildCallsOf({
    compare: async (key, entries, signal) =>
      await json<ComparedContext>(transport, {
        method: 'POST',
        path: `${PATH}/contexts`,
        stream: Readable.from(listOf(key, entries), { objectMode: false }),
        ...withSignal(signal),
      }),
    build: (session, wish, bodies, signal) => {
      const stream = Readable.from(wishAndBodies(wish, bodies), { objectMode: false })
      return checked(lines(transport, { method: 'POST', path: PATH, query: { session }, stream, ...withSignal(signal) }))
    },
    store: async (session, bodies, signal) => {
      const stream = Readable.from(bodies, { objectMode: false })
      const call = { method: 'POST', path: `${PATH}/contexts/files`, query: { session }, stream, ...withSignal(signal) } as const
      return (await json<{ readonly session: string }>(transport, call)).session
    },
    output: async (token, signal) =>
      await transport.send({ method: 'GET', path: `${PATH}/outputs`, query: { token }, ...withSignal(signal) }),
  })
}

function withSignal(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { signal }
}

/** Builds over whatever reaches a daemon. */
export function buildCallsOf(endpoint: BuildEndpoint): BuildCalls {
  const sent = async ({ files, layout }: NamedDirectory, signal: AbortSignal | undefined) => {
    const entries = await files.list()
    const { session, wanted } = await endpoint.compare(files.key, entries, signal)
    if (wanted.length === 0) return { session, layout }
    const bodies = bodiesOf(
      files,
      wanted.map((index) => entries[index]).filter((entry) => entry !== undefined),
      () => undefined,
    )
    return { session: await endpoint.store(session, bodies, signal), layout }
  }
  async function* once(
    source: BuildSource,
    { directories, ...rest }: Omit<BuildWish, 'directories'> & WishBesideSource,
    { signal, onContext }: BuildCallOptions,
  ): AsyncGenerator<BuildReport> {
    const opened: Record<string, WireDirectory> = {}
    // One after the other: two names may stand for one directory.
    for (const [name, directory] of Object.entries(directories)) opened[name] = await sent(directory, signal)
    const wish: BuildWish = { ...rest, directories: opened }
    if (source.address !== undefined) {
      yield* endpoint.build(
        '',
        wish,
        bodiesOf(source, [], () => undefined),
        signal,
      )
      return
    }
    const entries = await source.list()
    const fileCount = entries.length
    onContext?.({ fileCount, wantedCount: 0, sentBytes: 0, isDone: false })
    const compared = await endpoint.compare(source.key, entries, signal)
    const wantedCount = compared.wanted.length
    const onSent = (sentBytes: number, isDone: boolean) => onContext?.({ fileCount, wantedCount, sentBytes, isDone })
    const wanted = compared.wanted.map((index) => entries[index]).filter((entry) => entry !== undefined)
    yield* endpoint.build(compared.session, wish, bodiesOf(source, wanted, onSent), signal)
  }
  return {
    output: async (token, signal) => await endpoint.output(token, signal),
    run: async function* (source, options, call = {}) {
      const { path, text } = source.dockerfile
      const dockerfileText = source.address === undefined || text === '' ? null : text
      const wish = { ...options, context: source.address ?? null, dockerfile: path, dockerfileText }
      for (let attempt = 1; ; attempt += 1)
        try {
          yield* once(source, wish, call)
          return
        } catch (error) {
          if (!isRefusedSession(error) || attempt === MAX_TRIES) throw error
        }
    },
  }
}

/** It comes before the first report, if at all. */
function isRefusedSession(error: unknown): boolean {
  return error instanceof GloveboxError && error.code === 'build.session_unknown'
}

function* listOf(key: string, entries: readonly WireContextEntry[]): Generator<string> {
  let batch = `${JSON.stringify({ key })}\n`
  for (const entry of entries) {
    batch += `${JSON.stringify(entry)}\n`
    if (batch.length < BATCH_BYTES) continue
    yield batch
    batch = ''
  }
  yield batch
}

async function* wishAndBodies(wish: BuildWish, bodies: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const text = Buffer.from(JSON.stringify(wish))
  const head = Buffer.concat([lengthOf(text.length), text])
  let isFirst = true
  for await (const batch of bodies) {
    yield isFirst ? Buffer.concat([head, batch]) : batch
    isFirst = false
  }
  if (isFirst) yield head
}

async function* bodiesOf(
  source: Pick<BuildSource, 'read'>,
  wanted: readonly WireContextEntry[],
  onSent: (sentBytes: number, isDone: boolean) => void,
): AsyncGenerator<Buffer> {
  let batch: Buffer[] = []
  let batchBytes = 0
  let sentBytes = 0
  for (const entry of wanted) {
    batch.push(lengthOf(entry[3]))
    for await (const chunk of source.read(entry)) {
      batch.push(chunk)
      batchBytes += chunk.length
      sentBytes += chunk.length
      if (batchBytes < BATCH_BYTES && batch.length < BATCH_PARTS) continue
      yield Buffer.concat(batch)
      onSent(sentBytes, false)
      batch = []
      batchBytes = 0
    }
  }
  if (batch.length > 0) yield Buffer.concat(batch)
  onSent(sentBytes, true)
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes))
  return length
}
