import { stat, statfs } from 'node:fs/promises'

import type { Clock } from '#base'
import { TASK_LABELS } from '#cluster/agent'
import type { ContainerRecord, ContainersService, ResolvedMount } from '#engine/containers'
import { imageName, type ContainerFacts, type MountFacts } from '#operate/why'

import type { MemoryHistory } from './memory-history.ts'

export interface ContainerFactsNeeds {
  readonly containers: Pick<ContainersService, 'list' | 'logs'>
  readonly memory: Pick<MemoryHistory, 'of'>
  readonly clock: Clock
}

/** Of so many the log is read: those that ended or began last. */
const MAX_LOGS = 50
const TAIL_LINES = 10
const MAX_LINE = 400
/** Looked at, of all containers together. */
const MAX_MOUNTS = 300
/** A file system of the network may never answer. */
const MOUNT_TIMEOUT_MS = 500

/** `isReady`: what is known of the tasks among them. */
export async function containerFacts(
  needs: ContainerFactsNeeds,
  isReady: (taskId: string) => boolean,
): Promise<readonly ContainerFacts[]> {
  const records = needs.containers.list()
  const troubled = records
    .filter((record) => hasTrouble(record, isReady))
    .toSorted((a, b) => (lastChange(a) < lastChange(b) ? 1 : -1))
    .slice(0, MAX_LOGS)
  const lines = new Map(await Promise.all(troubled.map(async ({ id }) => [id, await lastLines(needs, id)] as const)))
  let left = MAX_MOUNTS
  const looked = records.map(({ mounts }) => {
    const some = mounts.filter(isOnHost).slice(0, Math.max(0, left))
    left -= some.length
    return some
  })
  const mounts = await Promise.all(
    looked.map(async (some) => await Promise.all(some.map(async (mount) => await mountFacts(mount, needs.clock)))),
  )
  return records.map((record, index) => factsOf(record, needs, lines.get(record.id) ?? [], mounts[index] ?? []))
}

function isOnHost({ type, source }: ResolvedMount): boolean {
  return type !== 'tmpfs' && source !== ''
}

function hasTrouble({ status, spec }: ContainerRecord, isReady: (taskId: string) => boolean): boolean {
  if (status.state === 'exited' || status.state === 'restarting') return status.exitCode !== 0 || status.error !== ''
  if (status.state !== 'running') return false
  const taskId = spec.labels[TASK_LABELS.task]
  return (
    (status.health !== null && status.health.status !== 'healthy') ||
    status.restartCount > 0 ||
    (taskId !== undefined && !isReady(taskId))
  )
}

function lastChange({ status, createdAt }: ContainerRecord): string {
  return status.finishedAt > status.startedAt ? status.finishedAt : status.startedAt === '' ? createdAt : status.startedAt
}

async function lastLines({ containers }: ContainerFactsNeeds, id: string): Promise<readonly string[]> {
  const lines: string[] = []
  try {
    for await (const { line } of containers.logs(id, {
      stdout: true,
      stderr: true,
      follow: false,
      sinceNs: null,
      untilNs: null,
      tail: TAIL_LINES,
    }))
      lines.push(line.subarray(0, MAX_LINE).toString('utf8').trimEnd())
  } catch {
    // Without a log (or with one that cannot be read) the rest is told all the same.
  }
  return lines.filter((line) => line !== '').slice(-TAIL_LINES)
}

async function mountFacts({ type, name, source, target }: ResolvedMount, clock: Clock): Promise<MountFacts> {
  const given = new AbortController()
  const late = async () => {
    await clock.sleep(MOUNT_TIMEOUT_MS, given.signal).catch(() => undefined)
    return null
  }
  const looked = Promise.all([stat(source).then(() => true, isNotAbsent), statfs(source).catch(() => null)])
  const seen = await Promise.race([looked, late()])
  given.abort()
  const [isThere, space] = seen ?? [true, null]
  return {
    type: type === 'volume' ? 'volume' : 'bind',
    source: name === '' ? source : name,
    target,
    isThere,
    availableBytes: space === null ? null : space.bavail * space.bsize,
    totalBytes: space === null ? null : space.blocks * space.bsize,
  }
}

/** What cannot be looked at may well be there. */
function isNotAbsent(error: unknown): boolean {
  return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
}

function factsOf(
  record: ContainerRecord,
  { memory }: ContainerFactsNeeds,
  lastLinesOf: readonly string[],
  mounts: readonly MountFacts[],
): ContainerFacts {
  const { id, name, spec, status } = record
  const past = memory.of(id)
  const lastProbe = status.health?.log.at(-1)
  return {
    id,
    name,
    image: imageName(spec.image),
    taskId: spec.labels[TASK_LABELS.task] ?? null,
    state: status.state,
    command: [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])].join(' '),
    exitCode: status.exitCode,
    error: status.error,
    isOomKilled: status.isOomKilled,
    isStoppedByHand: status.isManuallyStopped,
    createdAtMs: timeOf(record.createdAt) ?? 0,
    startedAtMs: timeOf(status.startedAt),
    finishedAtMs: timeOf(status.finishedAt),
    restartPolicy: spec.restart.name,
    restarts: status.restartCount,
    isReadOnlyRoot: spec.security.isReadOnlyRoot,
    health:
      status.health === null
        ? null
        : {
            status: status.health.status,
            failingStreak: status.health.failingStreak,
            test: (spec.health?.test ?? []).slice(1).join(' '),
            last: lastProbe === undefined ? null : { exitCode: lastProbe.exitCode, output: lastProbe.output },
          },
    memory: {
      limitBytes: spec.resources.memoryBytes,
      peakBytes: past?.peakBytes ?? null,
      kills: past?.kills ?? 0,
      samples: [...(past?.samples ?? [])],
    },
    lastLines: lastLinesOf,
    mounts,
  }
}

function timeOf(text: string): number | null {
  const ms = Date.parse(text)
  return text === '' || Number.isNaN(ms) ? null : ms
}
