import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

import { messageOf, systemCodeOf } from '#base'

import { connectUnix } from './connect-unix.ts'
import { runtimeError } from './errors.ts'
import { shimConnection, type ShimConnection } from './shim-connection.ts'
import { encodeSpawn } from './shim-frames.ts'

/**
 * The small process that forks shims for us. Forking ourselves would stop the main thread for a time that grows with our memory;
 * a request to it is one connect and one write. It ends with us, the shims do not; it is started when first needed and again if it died.
 */
export interface ShimServer {
  /**
   * Sends a request. `words` makes its arguments while the server forks already. `onConnected` runs before any answer can come: listeners added
   * there miss nothing, and may send stdin.
   */
  request(words: () => readonly string[], onConnected?: (connection: ShimConnection) => void): Promise<ShimConnection>
  close(): void
}

export interface ShimServerOptions {
  readonly shimPath: string
  /** Absolute path of the socket that the server is to listen on. */
  readonly socketPath: string
}

export function shimServer(options: ShimServerOptions): ShimServer {
  let serving: Promise<ChildProcess> | undefined
  let isReady = false

  const forget = () => {
    serving = undefined
    isReady = false
  }
  const ensure = (): Promise<ChildProcess> => {
    if (serving !== undefined) return serving
    const starting = startServer(options)
    serving = starting
    const forgetIt = () => {
      if (serving === starting) forget()
    }
    starting.then((child) => {
      isReady = serving === starting
      child.once('exit', forgetIt)
    }, forgetIt)
    return starting
  }
  const dial = async (): Promise<Socket> => {
    // Before the first await if we can: the kernel connects at once, and the server has forked by the time that there is something to send.
    if (!isReady) await ensure()
    try {
      return await connectUnix(options.socketPath)
    } catch (error) {
      if (!['ECONNREFUSED', 'ENOENT', 'ECONNRESET'].includes(systemCodeOf(error) ?? '')) throw error
      // It has died, and the news has not reached us yet.
      forget()
      await ensure()
      return await connectUnix(options.socketPath)
    }
  }
  return {
    request: async (words, onConnected) => {
      const dialling = dial()
      const request = spawnRequest(words, dialling)
      const socket = await dialling
      const connection = shimConnection(socket)
      // First of all that is written; an answer cannot be read before this turn of the event loop ends.
      socket.write(request)
      onConnected?.(connection)
      return connection
    },
    close: () => {
      const last = serving
      forget()
      void last?.then(
        (child) => child.stdin?.end(),
        () => undefined,
      )
    },
  }
}

/** Without words there is nothing to spawn: what was forked for them goes when its connection does. */
function spawnRequest(words: () => readonly string[], dialling: Promise<Socket>): Buffer {
  try {
    return encodeSpawn(words())
  } catch (error) {
    dialling.then(
      (socket) => socket.destroy(),
      () => undefined,
    )
    throw error
  }
}

async function startServer({ shimPath, socketPath }: ShimServerOptions): Promise<ChildProcess> {
  const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>()
  const child = spawn(shimPath, ['serve', '--socket', socketPath], { stdio: ['pipe', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdout.once('data', () => {
    // Neither keeps us from ending: the server notices our end by itself.
    for (const stream of [child.stdin, child.stdout, child.stderr]) if ('unref' in stream) (stream as Socket).unref()
    child.unref()
    resolve(child)
  })
  child.once('error', (error) => reject(missing(shimPath, messageOf(error), error)))
  child.once('close', (code) => reject(missing(shimPath, Buffer.concat(said).toString().trim() || `exited with code ${code}`)))
  return await promise
}

function missing(shimPath: string, reason: string, cause?: unknown) {
  return runtimeError('runtime.shim_missing', `start ${shimPath}: ${reason}`, {
    cause,
    hint: 'Build it with `node tools/build-native.ts`, which needs gcc and libc6-dev.',
  })
}
