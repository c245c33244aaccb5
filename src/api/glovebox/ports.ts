import type { IncomingMessage } from 'node:http'

import type { Actor } from '#cluster/model'
import type { ChangePlan } from '#cluster/changes'
import type { Nodes, Operations } from '#cluster/operations'
import type { CollectionReport, CollectionRun, Kept } from '#engine/collection'
import type { Environments } from '#cluster/environments'
import type { Jobs } from '#cluster/jobs'
import type { Secrets } from '#cluster/secrets'
import type { KeptSeries, RangeAnswer, RangeQuery } from '#observe/history'
import type { TargetStatus } from '#observe/scraping'
import type { Finding } from '#operate/doctor'
import type { WhyReport } from '#operate/why'

import type { Anatomy } from './wire-anatomy.ts'
import type { BuildReport, BuildWish, ComparedContext, WireCacheEntry, WireCachePrune, WireContextEntry } from './wire-builds.ts'
import type { StackChange, StackDesired, StackEvent, StackStatus, StackSummary } from './wire-stacks.ts'
import type {
  CollectReport,
  Grant,
  RegistryAccount,
  RegistryStatus,
  RepositoryContent,
  RepositorySummary,
  RetentionRule,
} from './wire-registry.ts'
import type { CommandCall, CommandMessage } from './wire-command.ts'
import type { NameMeaning, PolicyCheck, PolicyReport, ServiceAddressLine } from './wire-policy.ts'
import type { RunEvent } from './wire-jobs.ts'
import type { DashboardLink, DashboardStatus, DashboardUser, DashboardUserChange } from './wire-dashboard.ts'
import type { WireRoute, WireRouteDetail } from './wire-routes.ts'
import type { BootstrapProgress, ContainerProcess, ShutdownReport } from './wire.ts'

/** What the routes need of the daemon. Every method throws house errors; the edge turns their kind into a status. */
export interface GloveboxApiPorts {
  readonly stacks: StacksPort
  readonly bootstrap: BootstrapPort
  readonly anatomy: AnatomyPort
  readonly processes: ProcessesPort
  readonly doctor: DoctorPort
  readonly why: WhyPort
  readonly collection: CollectionPort
  readonly builds: BuildsPort
  readonly registry: RegistryPort
  readonly policy: PolicyPort
  readonly routes: RoutesPort
  readonly secrets: Secrets
  readonly metrics: MetricsPort
  readonly jobs: JobsPort
  readonly environments: Environments
  readonly operations: Operations
  readonly nodes: Nodes
  /** Who asks: it stands in the history of what they change. */
  readonly actorOf: (request: IncomingMessage) => Actor
  readonly shutdown: ShutdownPort
  /** Absent: there is no dashboard here. */
  readonly dashboard?: DashboardPort
  /** Absent: every command line runs where it was typed. */
  readonly commandLine?: CommandLinePort
}

/** Draws what read-only commands print, and runs builds: a process that runs and is warm does it in less time than another takes to start. */
export interface CommandLinePort {
  /** The standard output; null for a command that is not one of these, or that did not go well. */
  output(words: readonly string[]): Promise<string | null>
  /** Runs a command for somebody on this machine. Resolves to its exit code; null: not run here, and nothing was written. */
  run(call: CommandCall, streams: CommandStreams): Promise<number | null>
}

/** Whoever asked for a command, at the other end of a connection. */
export interface CommandStreams {
  /** Of the connection: tells who is there. Undefined where that cannot be told. */
  readonly connectionFd?: number | undefined
  /** Aborts when they are gone. */
  readonly gone: AbortSignal
  /** What happens to them meanwhile. Ends with the connection. */
  readonly messages: AsyncIterable<CommandMessage>
  /** False: wait for `drained` before writing more. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): boolean
  drained(): Promise<void>
}

/** The registry that this daemon serves. */
export interface RegistryPort {
  status(): RegistryStatus
  repositories(): readonly RepositorySummary[]
  content(name: string): RepositoryContent
  /** A tag, or a digest with all its tags. */
  remove(name: string, reference: string): Promise<void>
  collect(options: { readonly isDryRun: boolean }): Promise<CollectReport>
  setRules(rules: readonly RetentionRule[]): void
  accounts(): readonly RegistryAccount[]
  /** Without a password the user keeps the one that there is. */
  putUser(name: string, password: string | undefined, grants: readonly Grant[]): Promise<void>
  grantAnybody(grants: readonly Grant[]): void
  removeUser(name: string): void
}

/** Who may talk to whom inside, and where services are reached. */
export interface PolicyPort {
  report(): Promise<PolicyReport>
  /** `shop/web` or a task's name, and `shop/db:5432`, `shop/dns:53/udp` or an address. */
  check(from: string, to: string): PolicyCheck
  addresses(): readonly ServiceAddressLine[]
  /** What the name of a service means to a container or service. Unknown: a `not_found` error. */
  explain(from: string, name: string): NameMeaning
}

/** Jobs as people handle them, and what their runs write. */
export interface JobsPort extends Omit<Jobs, 'follow'> {
  /** First the run, then each line of what its tasks wrote; with `follow` until it is over, and the run again after each change. */
  output(job: string, run: string, options: { readonly follow: boolean }, signal: AbortSignal): AsyncIterable<RunEvent>
}

/** Who may sign in to the dashboard. `by`: who makes the change, for the log. */
export interface DashboardPort {
  status(): Promise<DashboardStatus>
  users(): Promise<readonly DashboardUser[]>
  putUser(name: string, change: DashboardUserChange, by: string): Promise<void>
  /** Not there: a `not_found` error. */
  removeUser(name: string, by: string): Promise<void>
  /** Has it listen where it does not yet, and makes a link that signs in once. */
  open(): Promise<DashboardLink>
}

/** Where traffic comes in and who answers it. */
export interface RoutesPort {
  list(): Promise<readonly WireRoute[]>
  /** Not there: a `not_found` error. */
  inspect(id: string): Promise<WireRouteDetail>
  /** Percent of the requests by group; null: as it is written down. */
  shift(id: string, shares: Readonly<Record<string, number>> | null): Promise<WireRoute>
}

/** What was measured of this machine and of what runs on it. Errors: those of the history. */
export interface MetricsPort {
  /** What is left out: the last hour up to now, a step a minute. */
  range(query: Pick<RangeQuery, 'selector' | 'fn'> & Partial<RangeQuery>): Promise<RangeAnswer>
  series(selector: string): readonly KeptSeries[]
  /** Containers that want to be asked for metrics of their own, and what came of it the last time. */
  targets(): readonly TargetStatus[]
}

export interface BuildsPort {
  /** What of a context has to be sent, since it changed. */
  compare(key: string, entries: readonly WireContextEntry[]): Promise<ComparedContext>
  /** A file that a build waits with, see the report `output-ready`. Once. */
  output(token: string, signal: AbortSignal): AsyncIterable<Buffer>
  /** What builds said of an image: how it was made, and what is in it. */
  attestations(image: string): readonly { readonly predicateType: string; readonly predicate: unknown }[]
  /** What is kept for later builds. */
  kept(): readonly WireCacheEntry[]
  prune(wish: WireCachePrune): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }>
  /** Takes the content that was wanted of a directory beside the context, and gives a session that wants nothing more. */
  store(session: string, bodies: AsyncIterable<Buffer>): Promise<string>
  /** Builds from a context that was compared; `bodies` is the content that was wanted. Ends when the image is there; a failure is thrown. */
  build(session: string, wish: BuildWish, bodies: AsyncIterable<Buffer>, signal: AbortSignal): AsyncIterable<BuildReport>
}

export interface StacksPort {
  /** Writes down what is wanted and returns at once; work goes on behind it. */
  put(name: string, desired: StackDesired, asked: { readonly actor: Actor; readonly planId?: string }): Promise<StackChange>
  /** What `put` would change; nothing is. */
  preview(name: string, desired: StackDesired): Promise<ChangePlan>
  /** What `remove` would take away; nothing is. Not there: a `not_found` error. */
  previewRemoval(name: string, options: { readonly volumes: boolean }): Promise<ChangePlan>
  list(): readonly StackSummary[]
  /** Not there: a `not_found` error. */
  get(name: string): StackStatus
  /**
   * First the status as it is, then each change; ends after `settled`. For a stack that is being removed, ends after `removed`.
   * Not there: a `not_found` error at the first step.
   */
  watch(name: string, signal: AbortSignal): AsyncIterable<StackEvent>
  /** Resolves when its containers and networks are gone (and its volumes, if asked). */
  remove(name: string, options: { readonly volumes: boolean; readonly signal: AbortSignal; readonly actor: Actor }): Promise<void>
}

export interface BootstrapPort {
  /** Makes a base image from the distribution's packages, `debian:bookworm` or `debian:bookworm-slim`. There already: says so and ends. */
  bootstrap(reference: string, signal: AbortSignal): AsyncIterable<BootstrapProgress>
}

export interface AnatomyPort {
  anatomy(container: string): Promise<Anatomy>
}

export interface ProcessesPort {
  /** Of the named containers, or of all that run when `containers` is empty. */
  processes(containers: readonly string[]): Promise<readonly ContainerProcess[]>
}

export interface DoctorPort {
  findings(): Promise<readonly Finding[]>
}

export interface WhyPort {
  /** null: everything. Error: `why.unknown_name`. */
  why(name: string | null): Promise<WhyReport>
}

export interface CollectionPort {
  report(): CollectionReport
  /** What a pass would remove now. Changes nothing. */
  preview(): { readonly run: CollectionRun; readonly kept: readonly Kept[] }
  collect(): Promise<CollectionRun>
}

export interface ShutdownPort {
  /** Stops what is to be stopped and takes down the network; `leave` then ends the daemon, after the answer is out. */
  prepare(options: { readonly stopContainers: boolean }): Promise<ShutdownReport>
  leave(): void
}
