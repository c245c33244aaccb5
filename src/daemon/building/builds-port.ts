import { StringDecoder } from 'node:string_decoder'

import type { BuildReport, BuildsPort, BuildWish, WireContextEntry } from '#api/glovebox'
import type { Random } from '#base'
import {
  fetchOptions,
  type Builder,
  type BuildEvent,
  type BuildRequest,
  type GivenDirectory,
  type Predicate,
} from '#engine/builder'
import type { ContextEntry, KeptContexts } from '#engine/builder/kept-context'
import type { ByteString } from '#oci/tar'

import { openDeliveries } from './deliveries.ts'
import { eventQueue } from './event-queue.ts'
import { optionsOf } from './wish-request.ts'

/** Builds as our own API offers them: from contexts that stay, with events as they happen. */
export function buildsPort(
  builder: Pick<Builder, 'run' | 'check' | 'outline' | 'targets' | 'fetchContext' | 'usage' | 'prune'>,
  contexts: KeptContexts,
  { said, random }: { readonly said: (image: string) => readonly Predicate[]; readonly random: Random },
): BuildsPort {
  const deliveries = openDeliveries(random)
  const contextEntries = entriesOfWire()
  return {
    output: (token, signal) => deliveries.take(token, signal),
    attestations: (image) => said(image).map(({ type, content }) => ({ predicateType: type, predicate: content })),
    kept: () => builder.usage().map(({ kind, layer: _layer, ...entry }) => ({ ...entry, type: kind })),
    prune: async ({ all, unusedMs, keepBytes, types }) =>
      await builder.prune({
        all,
        ...(unusedMs === null ? {} : { unusedMs }),
        ...(keepBytes === null ? {} : { keepBytes }),
        ...(types.length === 0 ? {} : { matches: ({ kind }) => types.includes(kind) }),
      }),
    compare: async (key, entries) => await contexts.compare(key, contextEntries(entries)),
    store: async (session, bodies) => await contexts.store(session, bodies),
    build: async function* (session, wish, bodies, signal) {
      const options = optionsOf(wish)
      const { dockerfile: dockerfilePath, dockerfileText } = wish
      await using context =
        wish.context === null
          ? await contexts.receive(session, bodies, { dockerfilePath })
          : await builder.fetchContext(wish.context, {
              ...fetchOptions({ ...options, signal }),
              dockerfilePath,
              dockerfileText: dockerfileText ?? undefined,
            })
      await using open = new AsyncDisposableStack()
      const directories = await openDirectories(wish, contexts, open)
      const stop = new AbortController()
      const queue = eventQueue()
      const gone = AbortSignal.any([signal, stop.signal])
      const request: BuildRequest = {
        ...options,
        context,
        directories,
        signal: gone,
        deliver: async ({ output, stream }) =>
          await deliveries.offer(stream, gone, (token) => queue.push({ kind: 'output-ready', output, token })),
      }
      if (wish.call === 'outline') return yield { kind: 'outline', outline: builder.outline(request) }
      if (wish.call === 'targets') return yield { kind: 'targets', targets: builder.targets(request) }
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

async function openDirectories(
  { directories }: BuildWish,
  contexts: KeptContexts,
  open: AsyncDisposableStack,
): Promise<ReadonlyMap<string, GivenDirectory>> {
  const opened = new Map<string, GivenDirectory>()
  for (const [name, { session, layout }] of Object.entries(directories)) {
    const { tree } = open.use(await contexts.files(session))
    opened.set(name, { tree, layout: layout ?? undefined })
  }
  return opened
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
      case 'moved':
        return { ...event, digest: event.digest ?? null }
      case 'image':
      case 'moving':
      case 'planned':
      case 'step-running':
      case 'step-started':
      case 'tagged':
        return event
    }
  }
}

/** A list that was given before, and so is the same, becomes the same list again: who compares them is done at once. */
function entriesOfWire(): (entries: readonly WireContextEntry[]) => readonly ContextEntry[] {
  const known = new WeakMap<readonly WireContextEntry[], readonly ContextEntry[]>()
  return (entries) => {
    const made = known.get(entries) ?? entries.map(entryOfWire)
    known.set(entries, made)
    return made
  }
}

function entryOfWire([path, type, mode, sizeBytes, mtimeS, signature, linkname]: WireContextEntry): ContextEntry {
  return { path: path as ByteString, type, mode, sizeBytes, mtimeS, signature, linkname: linkname as ByteString }
}
