import type { ClassicBuildRequest, ClassicBuilds } from '#api/docker'
import { fail } from '#base'
import { buildImage, classicStream, receiveContext, type BuildEvent, type BuildPorts, type BuildRequest } from '#engine/build'
import { parsePlatform } from '#oci/image'

/** `docker build` of the classic builder: the context in, messages out while it goes on. */
export function classicBuilds(ports: BuildPorts): ClassicBuilds {
  return {
    build: async function* (request, tar, signal) {
      const render = classicStream({ isQuiet: request.isQuiet })
      await using context = await receiveContext(tar, {
        dockerfilePath: request.dockerfile,
        spoolDirectory: ports.spoolDirectory,
        random: ports.random,
      })
      const events = eventQueue<BuildEvent>()
      // A failure is the last event as well; whoever reads the events has it.
      const building = buildImage(ports, { ...requestOf(request), context, signal }, events.push).then(events.end, events.end)
      for await (const event of events) {
        for (const line of render(event).split('\r\n'))
          if (line !== '') yield JSON.parse(line) as Readonly<Record<string, unknown>>
      }
      await building
    },
    prune: async () => {
      const records = await ports.cache.list()
      for (const { key } of records) await ports.cache.delete(key)
      return { deleted: records.map(({ key }) => key), reclaimedBytes: 0 }
    },
    usage: () => [],
  }
}

function requestOf(request: ClassicBuildRequest): Omit<BuildRequest, 'context' | 'signal'> {
  const given = Object.entries(request.buildArgs).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const network = request.networkMode === '' || request.networkMode === 'bridge' ? 'default' : request.networkMode
  if (network !== 'default' && network !== 'none' && network !== 'host') {
    throw fail(
      'input.unsupported',
      `building in the network ${JSON.stringify(network)} is not supported; there are default, none and host`,
    )
  }
  const { limits } = request
  const present = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null && value !== ''))
  return {
    tags: request.tags,
    buildArgs: new Map(given),
    labels: request.labels,
    isCacheUsed: !request.isCacheOff,
    isPullForced: request.shouldPull,
    network,
    limits: { ...present, extraHosts: request.extraHosts },
    ...(request.target === '' ? {} : { target: request.target }),
    ...(request.platform === '' ? {} : { platform: parsePlatform(request.platform) }),
  }
}

interface EventQueue<T> extends AsyncIterable<T> {
  readonly push: (value: T) => void
  readonly end: () => void
}

/** From a callback to an iterator. The build goes on while the client is slow; its output is bounded by what commands print. */
function eventQueue<T>(): EventQueue<T> {
  const waiting: T[] = []
  let isOver = false
  let wake = () => {}
  return {
    push: (value) => {
      waiting.push(value)
      wake()
    },
    end: () => {
      isOver = true
      wake()
    },
    [Symbol.asyncIterator]: async function* () {
      for (;;) {
        const next = waiting.shift()
        if (next !== undefined) yield next
        else if (isOver) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
