import { hostPlatform, parsePlatform } from '#oci/image'

import { checkLimits } from './check-limits.ts'
import { classicMessages, type ClassicMessage } from './classic-stream.ts'
import { receiveContext, type BuildContext } from './context.ts'
import { buildError } from './errors.ts'
import type { EmitBuildEvent } from './events.ts'
import { inStageOrder } from './in-stage-order.ts'
import { buildImage, checkBuild } from './loop.ts'
import { messageQueue } from './message-queue.ts'
import { namedContext } from './open-named-context.ts'
import { listTargets, outlineTarget, type BuildOutline, type BuildTarget } from './outline/index.ts'
import type { PlanInput } from './plan-input.ts'
import { planInput } from './plan-platforms.ts'
import { keptForLater, type Pruned } from './cache-usage.ts'
import type { BuilderPorts, Credentials, RunLimits, RunNetwork, RunUlimit } from './ports.ts'
import type { CacheUsage, PruneWish } from './prune-plan.ts'
import type { FetchOptions } from './remote/index.ts'
import { remoteContext, type RemoteContextOptions } from './remote-context.ts'

import { layoutReference, withLayouts } from './layout-context.ts'
import type { BuildOutcome, BuildRequest, GivenDirectory } from './request.ts'

/** What Docker's `POST /build` asks of a classic builder. */
export interface ClassicBuildRequest {
  readonly tags: readonly string[]
  /** The address of the context; empty: it is the body. */
  readonly remote: string
  readonly dockerfile: string
  /** null: declared without a value. */
  readonly buildArgs: Readonly<Record<string, string | null>>
  readonly labels: Readonly<Record<string, string>>
  readonly target: string
  readonly isCacheOff: boolean
  /** Images whose cache is looked into, where they carry one; others are passed over. */
  readonly cacheFrom: readonly string[]
  /** What the client knows of a registry, by any name of its. */
  readonly credentialsFor: (reference: string) => Credentials | null
  readonly shouldPull: boolean
  readonly isQuiet: boolean
  readonly networkMode: string
  readonly extraHosts: readonly string[]
  readonly limits: {
    readonly memoryBytes: number | null
    readonly memorySwapBytes: number | null
    readonly cpuShares: number | null
    readonly cpuPeriodUs: number | null
    readonly cpuQuotaUs: number | null
    readonly cpusetCpus: string
    readonly cpusetMems: string
    readonly cgroupParent: string
    readonly ulimits: readonly RunUlimit[]
    readonly shmBytes: number | null
  }
  /** Empty: the host's. */
  readonly platform: string
}

export interface Builder {
  /** Builds from a context that is received already. Errors: `dockerfile.*`, `build.*`, and those of the ports. */
  run(request: BuildRequest, emit: EmitBuildEvent): Promise<BuildOutcome>
  /** Tells as warnings what is likely wrong, and builds nothing. Errors: `dockerfile.*`, `build.*`. */
  check(request: BuildRequest, emit: EmitBuildEvent): Promise<void>
  /** What the target takes. From the text alone. Errors: `dockerfile.*`, `build.*`. */
  outline(request: BuildRequest): BuildOutline
  /** Which targets there are. */
  targets(request: BuildRequest): readonly BuildTarget[]
  /** Fetches a context from an address: a repository, an archive, a Dockerfile. Dispose of it after the build. Errors: `build.*`. */
  fetchContext(address: string, options: RemoteContextOptions): Promise<BuildContext>
  /** Builds from a context as it comes in. What fails before the first step is thrown, what fails later is the last message. */
  build(request: ClassicBuildRequest, context: AsyncIterable<Buffer>, signal: AbortSignal): AsyncIterable<ClassicMessage>
  /** Forgets what builds keep for later ones, as far as none uses it now. */
  prune(wish: PruneWish): Promise<Pruned>
  usage(): readonly CacheUsage[]
}

export function createBuilder(ports: BuilderPorts): Builder {
  /** How many running builds stand on a key. */
  const held = new Map<string, number>()

  const run: Builder['run'] = async (request, emit) => {
    const mine = new Set<string>()
    const hold = (key: string): void => {
      if (mine.has(key)) return
      mine.add(key)
      held.set(key, (held.get(key) ?? 0) + 1)
    }
    try {
      checkLimits(request.limits ?? {})
      await using open = new AsyncDisposableStack()
      const using = withLayouts(ports, request.directories)
      return await buildImage(using, await withContexts(ports, request, open), emit, hold)
    } finally {
      for (const key of mine) release(held, key)
    }
  }

  const fetchContext: Builder['fetchContext'] = async (address, options) => await remoteContext(address, ports, options)

  async function* build(request: ClassicBuildRequest, body: AsyncIterable<Buffer>, signal: AbortSignal) {
    const stop = new AbortController()
    const asked = imageRequest(request)
    const dockerfilePath = request.dockerfile
    await using context =
      request.remote === ''
        ? await receiveContext(body, { ...ports, dockerfilePath })
        : await fetchContext(request.remote, { ...fetchOptions({ ...asked, signal }), dockerfilePath })
    const queue = messageQueue()
    const render = classicMessages(request)
    const wanted: BuildRequest = { ...asked, context, signal: AbortSignal.any([signal, stop.signal]) }
    let hasBegun = false
    const emit = inStageOrder((event) => {
      hasBegun ||= event.kind === 'planned'
      if (hasBegun) queue.push(render(event))
    })
    const running = run(wanted, emit).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    void running.then(queue.close)
    try {
      yield* queue
      const failure = await running
      if (failure !== undefined && !hasBegun) throw failure.error
    } finally {
      stop.abort()
      await running
    }
  }

  const { prune, usage } = keptForLater(ports, (key) => held.has(key))
  const check: Builder['check'] = async (request, emit) => {
    await using open = new AsyncDisposableStack()
    await checkBuild(withLayouts(ports, request.directories), await withContexts(ports, request, open), emit)
  }
  const outline: Builder['outline'] = (request) => outlineTarget(textInput(request))
  const targets: Builder['targets'] = (request) => listTargets(textInput(request))
  return { run, check, outline, targets, fetchContext, build, prune, usage }
}

/** What is looked at without planning: for the first platform. */
function textInput(request: BuildRequest): PlanInput {
  return planInput(request, request.platforms?.[0] ?? hostPlatform(), false)
}

/** Fetches what the named contexts of a request stand for. */
async function withContexts(ports: BuilderPorts, request: BuildRequest, open: AsyncDisposableStack): Promise<BuildRequest> {
  const { contexts = new Map<string, string>(), directories = new Map<string, GivenDirectory>(), context } = request
  const count = contexts.size + directories.size
  if (count === 0) return request
  if (count > MAX_NAMED_CONTEXTS)
    throw buildError('build.context_invalid', `${count} contexts are named, more than ${MAX_NAMED_CONTEXTS}`)
  const options = fetchOptions(request)
  const named = new Map(context.named)
  for (const [name, text] of contexts) named.set(name, await namedContext(name, text, ports, options, open))
  for (const [name, { tree, layout }] of directories)
    named.set(name, layout === undefined ? { kind: 'tree', tree } : { kind: 'image', reference: layoutReference(name) })
  return { ...request, context: { ...context, named } }
}

/** How a build may fetch what it is made from. */
export function fetchOptions(request: Omit<BuildRequest, 'context'>): FetchOptions {
  return {
    isHostNetworkAllowed: request.network === 'host' || request.entitlements?.has('network.host') === true,
    secrets: request.secrets ?? new Map(),
    sshAgent: request.sshAgents?.get('default'),
    signal: request.signal,
  }
}

/** Each may be a download. */
const MAX_NAMED_CONTEXTS = 100

function release(held: Map<string, number>, key: string): void {
  const count = (held.get(key) ?? 1) - 1
  if (count === 0) held.delete(key)
  else held.set(key, count)
}

function imageRequest(request: ClassicBuildRequest): Omit<BuildRequest, 'context' | 'signal'> {
  const given = Object.entries(request.buildArgs).filter((pair): pair is [string, string] => pair[1] !== null)
  return {
    tags: request.tags,
    buildArgs: new Map(given),
    labels: request.labels,
    target: request.target,
    isCacheUsed: !request.isCacheOff,
    isPullForced: request.shouldPull,
    cacheFrom: request.cacheFrom.map((reference) => ({ kind: 'registry', reference, isOptional: true })),
    credentialsFor: request.credentialsFor,
    network: networkOf(request.networkMode),
    limits: limitsOf(request),
    ...(request.platform === '' ? {} : { platforms: [parsePlatform(request.platform)] }),
  }
}

function networkOf(mode: string): RunNetwork {
  if (mode === 'default' || mode === '' || mode === 'bridge') return 'default'
  if (mode === 'none' || mode === 'host') return mode
  throw buildError('build.unsupported', `the network ${JSON.stringify(mode)} is not supported for builds`, {
    hint: 'Use default, none or host.',
  })
}

function limitsOf({ limits, extraHosts }: ClassicBuildRequest): RunLimits {
  const numbers = {
    memoryBytes: limits.memoryBytes,
    memorySwapBytes: limits.memorySwapBytes,
    cpuShares: limits.cpuShares,
    cpuPeriodUs: limits.cpuPeriodUs,
    cpuQuotaUs: limits.cpuQuotaUs,
    shmBytes: limits.shmBytes,
  }
  const given = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== null))
  return {
    ...given,
    ...(limits.cpusetCpus === '' ? {} : { cpusetCpus: limits.cpusetCpus }),
    ...(limits.cpusetMems === '' ? {} : { cpusetMems: limits.cpusetMems }),
    ...(limits.cgroupParent === '' ? {} : { cgroupParent: limits.cgroupParent }),
    ...(limits.ulimits.length === 0 ? {} : { ulimits: limits.ulimits }),
    ...(extraHosts.length === 0 ? {} : { extraHosts }),
  }
}
