import { PassThrough, Writable } from 'node:stream'

import type { ShimConnection } from '#engine/runtime'

import { detachFilter } from './detach-keys.ts'
import type { AttachStream } from './port.ts'

/** An attachment that may be asked for before the process runs: what comes in waits, what goes out flows once it is bound. */
export interface AttachSession extends AttachStream {
  readonly wantsStdout: boolean
  readonly wantsStderr: boolean
  /** Wires it to the process. Several sessions may share a connection; each is bound once. */
  bind(connection: ShimConnection): void
  /** Puts in what the log holds, before anything live. */
  replay(stream: 'stdout' | 'stderr', line: Buffer): void
  /** The process's output is over. */
  end(): void
}

export interface SessionOptions {
  readonly hasStdin: boolean
  readonly wantsStdout: boolean
  readonly wantsStderr: boolean
  readonly hasTty: boolean
  /** Close the process's standard input when the client closes its own. */
  readonly closesStdin: boolean
  /** null: no way to detach by keys. */
  readonly detachKeys: readonly number[] | null
  readonly onClose: () => void
  /** The client left by keys; the process goes on. */
  readonly onDetach?: () => void
}

/** Kept per direction before backpressure reaches the other side. */
const BUFFER_BYTES = 256 * 1024
const FRAME_HEADER_BYTES = 8

export function createSession(options: SessionOptions): AttachSession {
  const output = new PassThrough({ highWaterMark: BUFFER_BYTES })
  const bound = Promise.withResolvers<ShimConnection>()
  bound.promise.catch(() => undefined)
  let isOver = false
  const close = () => {
    if (isOver) return
    isOver = true
    output.destroy()
    bound.reject(new Error('the attachment was closed before the process started'))
    options.onClose()
  }
  const end = () => {
    if (isOver) return
    isOver = true
    output.end()
    bound.reject(new Error('the process ended'))
    options.onClose()
  }
  return {
    isRaw: options.hasTty,
    output,
    input: options.hasStdin ? inputOf(options, bound.promise, end) : null,
    wantsStdout: options.wantsStdout,
    wantsStderr: options.wantsStderr,
    close,
    end,
    replay: (stream, line) => void output.write(options.hasTty ? line : frameOf(stream, line)),
    bind: (connection) => {
      if (isOver) return
      bound.resolve(connection)
      carryOutput(connection, output, options, { isOver: () => isOver, end })
    },
  }
}

/** Docker's stream frame: [1 stdout | 2 stderr, 0, 0, 0, length as a 32-bit big-endian number] and the bytes. */
function frameOf(stream: 'stdout' | 'stderr', bytes: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header[0] = stream === 'stdout' ? 1 : 2
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

/** Passes output on, and holds the shim back while the client does not read. */
function carryOutput(
  connection: ShimConnection,
  output: PassThrough,
  options: SessionOptions,
  session: { isOver(): boolean; end(): void },
): void {
  const listening = connection.listen({
    output: (stream, bytes) => {
      if (session.isOver() || !(stream === 'stdout' ? options.wantsStdout : options.wantsStderr)) return
      if (!output.write(options.hasTty ? bytes : frameOf(stream, bytes))) connection.pause()
    },
    outputEnded: () => session.end(),
    failed: () => session.end(),
    closed: () => session.end(),
  })
  output.on('drain', () => connection.resume())
  output.on('close', () => {
    listening[Symbol.dispose]()
    connection.resume()
  })
}

function inputOf(options: SessionOptions, bound: Promise<ShimConnection>, detach: () => void): Writable {
  const filter = options.detachKeys === null ? null : detachFilter(options.detachKeys)
  return new Writable({
    highWaterMark: BUFFER_BYTES,
    write: (chunk: Buffer, _encoding, done) => {
      const { pass, isDetached } = filter === null ? { pass: chunk, isDetached: false } : filter(chunk)
      if (isDetached) {
        options.onDetach?.()
        detach()
      }
      if (pass.length === 0) return done()
      // A process that has gone takes no more input; that is no error of the client's.
      bound
        .then((connection) => connection.stdin(pass))
        .then(
          () => done(),
          () => done(),
        )
    },
    final: (done) => {
      if (!options.closesStdin) return done()
      bound
        .then((connection) => connection.closeStdin())
        .then(
          () => done(),
          () => done(),
        )
    },
  })
}
