import { StringDecoder } from 'node:string_decoder'

import type { BuildReport, BuildsPort, BuildWish } from '#api/glovebox'
import { parsePlatform } from '#oci/image'
import type { Builder, BuildContext, BuildEvent, BuildRequest } from '#engine/builder'
import type { KeptContexts } from '#engine/builder/kept-context'
import type { ByteString } from '#oci/tar'

import { eventQueue } from './event-queue.ts'

/** Builds as our own API offers them: from contexts that stay, with events as they happen. */
export function buildsPort(builder: Pick<Builder, 'run' | 'check'>, contexts: KeptContexts): BuildsPort {
  return {
    compare: async (key, entries) =>
      await contexts.compare(
        key,
        entries.map(([path, type, mode, sizeBytes, mtimeS, signature, linkname]) => ({
          path: path as ByteString,
          type,
          mode,
          sizeBytes,
          mtimeS,
          signature,
          linkname: linkname as ByteString,
        })),
      ),
    build: async function* (session, wish, bodies, signal) {
      await using context = await contexts.receive(session, bodies, { dockerfilePath: wish.dockerfile })
      const stop = new AbortController()
      const request = requestOf(wish, context, AbortSignal.any([signal, stop.signal]))
      const queue = eventQueue()
      const report = reports()
      const emit = (event: BuildEvent) => {
        const told = report(event)
        if (told !== undefined) queue.push(told)
      }
      const running = (wish.call === 'check' ? builder.check(request, emit) : builder.run(request, emit)).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      void running.then(queue.close)
      try {
        yield* queue
        const failure = await running
        if (failure !== undefined) throw failure.error
      } finally {
        stop.abort()
        await running
      }
    },
  }
}

function requestOf(wish: BuildWish, context: BuildContext, signal: AbortSignal): BuildRequest {
  return {
    context,
    signal,
    tags: wish.tags,
    buildArgs: new Map(Object.entries(wish.args)),
    labels: wish.labels,
    isCacheUsed: wish.usesCache,
    isPullForced: wish.pulls,
    network: wish.network,
    entitlements: new Set(wish.entitlements),
    secrets: new Map(Object.entries(wish.secrets).map(([id, text]) => [id, Buffer.from(text, 'base64')])),
    sshAgents: new Map(Object.entries(wish.sshAgents)),
    ...(wish.target === null ? {} : { target: wish.target }),
    ...(wish.platform === null ? {} : { platform: parsePlatform(wish.platform) }),
  }
}

/** Events as they go over the wire; the failure comes as the end of the answer. A character may come in two chunks of output. */
function reports(): (event: BuildEvent) => BuildReport | undefined {
  const decoders = new Map<string, StringDecoder>()
  return (event) => {
    switch (event.kind) {
      case 'failed':
        return undefined
      case 'output': {
        const key = `${event.number} ${event.stream}`
        const decoder = decoders.get(key) ?? new StringDecoder('utf8')
        decoders.set(key, decoder)
        const text = decoder.write(event.chunk)
        return text === '' ? undefined : { kind: 'output', number: event.number, stream: event.stream, text }
      }
      case 'step-done': {
        const { kind, number, isCached, durationMs } = event
        return { kind, number, isCached, durationMs }
      }
      case 'warning':
        return { ...event, check: event.check ?? null }
      default:
        return event
    }
  }
}
