import { Readable } from 'node:stream'

import type { BuildReport, BuildWish, ComparedContext, WireContextEntry } from '#api/glovebox'
import { GloveboxError } from '#base'

import { json, lines } from './call.ts'
import { checked } from './checked.ts'
import type { BuildSource } from './context/index.ts'
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

export interface BuildCalls {
  /** Sends what changed of the context and builds; ends with the build, whose failure is thrown. Errors: `client.context_changed`, those of the builder. */
  run(source: BuildSource, wish: Omit<BuildWish, 'dockerfile'>, options?: BuildCallOptions): AsyncIterable<BuildReport>
  /** A file that a build gives, by the token of its report; the build waits until it was read. */
  output(token: string, signal?: AbortSignal): Promise<Readable>
}

const PATH = '/glovebox/v1/builds'
/** Small files go together. */
const BATCH_BYTES = 256 * 1024
/** Another build of the same directory came between the two requests: once more is enough, unless there are many. */
const MAX_TRIES = 3

export function buildCalls(transport: Transport): BuildCalls {
  async function* once(
    source: BuildSource,
    wish: BuildWish,
    { signal, onContext }: BuildCallOptions,
  ): AsyncGenerator<BuildReport> {
    const withSignal = signal === undefined ? {} : { signal }
    const entries = await source.list()
    const fileCount = entries.length
    onContext?.({ fileCount, wantedCount: 0, sentBytes: 0, isDone: false })
    const list = Readable.from(listOf(source.key, entries), { objectMode: false })
    const compared = await json<ComparedContext>(transport, {
      method: 'POST',
      path: `${PATH}/contexts`,
      stream: list,
      ...withSignal,
    })
    const wantedCount = compared.wanted.length
    const onSent = (sentBytes: number, isDone: boolean) => onContext?.({ fileCount, wantedCount, sentBytes, isDone })
    const wanted = compared.wanted.map((index) => entries[index]).filter((entry) => entry !== undefined)
    const body = Readable.from(bodyOf(source, wish, wanted, onSent), { objectMode: false })
    const query = { session: compared.session }
    yield* checked(lines<BuildReport>(transport, { method: 'POST', path: PATH, query, stream: body, ...withSignal }))
  }
  return {
    output: async (token, signal) =>
      await transport.send({
        method: 'GET',
        path: `${PATH}/outputs`,
        query: { token },
        ...(signal === undefined ? {} : { signal }),
      }),
    run: async function* (source, options, call = {}) {
      const wish: BuildWish = { ...options, dockerfile: source.dockerfile.path }
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

async function* bodyOf(
  source: BuildSource,
  wish: BuildWish,
  wanted: readonly WireContextEntry[],
  onSent: (sentBytes: number, isDone: boolean) => void,
): AsyncGenerator<Buffer> {
  const text = Buffer.from(JSON.stringify(wish))
  let batch: Buffer[] = [lengthOf(text.length), text]
  let batchBytes = 0
  let sentBytes = 0
  for (const entry of wanted) {
    batch.push(lengthOf(entry[3]))
    for await (const chunk of source.read(entry)) {
      batch.push(chunk)
      batchBytes += chunk.length
      sentBytes += chunk.length
      if (batchBytes < BATCH_BYTES) continue
      yield Buffer.concat(batch)
      onSent(sentBytes, false)
      batch = []
      batchBytes = 0
    }
  }
  yield Buffer.concat(batch)
  onSent(sentBytes, true)
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes))
  return length
}
