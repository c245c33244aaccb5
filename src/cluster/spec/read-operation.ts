import { isKind, messageOf } from '#base'
import { parseCron, timeZone } from '#cluster/jobs/cron'

import { type Field, withoutNulls } from './fields.ts'
import type { JobSpec, ScheduleSpec } from './mode-model.ts'
import type { ServiceSpec } from './model.ts'
import type { PeopleSpec } from './people-model.ts'
import type { AffinitySpec } from './placement-model.ts'
import { readCommand } from './read-command.ts'
import type { CanarySpec, ChecksSpec, CheckSpec, ProbeSpec, RolloutSpec } from './rollout-model.ts'

const MAX_PORT = 65_535
const MAX_PRIORITY = 1_000_000
/** Of a check that says nothing of its times; those of readiness probes elsewhere. */
const PLAIN_CHECK = { intervalMs: 10_000, timeoutMs: 1000, failures: 3, successes: 1, initialDelayMs: 0 } as const
/** Of a canary that says nothing of its judgement. */
const PLAIN_CANARY = {
  holdMs: 60_000,
  minRequests: 100,
  maxErrorRatio: 0.01,
  latencyPercentile: 0.95,
  maxLatencyRatio: 1.5,
} as const
/** Runs of a schedule whose logs are kept. */
const KEPT = { succeeded: 3, failed: 3 } as const

/** A service with what `x-glovebox` says of it. `application`: `x-glovebox` at the top, for the people. `names`: all services. */
export function withOperation(spec: ServiceSpec, operation: Field, application: Field, names: readonly string[]): ServiceSpec {
  const people = readPeople(operation, application)
  const own = people === undefined ? {} : { people }
  if (!operation.isPresent) return { ...spec, ...own }
  const job = readJob(spec, operation)
  return {
    ...spec,
    ...own,
    mode: job !== null && spec.job === null ? 'replicated-job' : spec.mode,
    job,
    placement: {
      ...spec.placement,
      priority: operation.child('priority').whole({ min: -MAX_PRIORITY, max: MAX_PRIORITY }) ?? spec.placement.priority,
      affinities: [
        ...spec.placement.affinities,
        ...readAffinities(operation.child('near'), 'affinity', names),
        ...readAffinities(operation.child('away_from'), 'anti-affinity', names),
      ],
    },
    update: readRollout(spec.update, operation.child('rollout')),
    checks: readChecks(operation.child('checks')),
    task: { ...spec.task, labels: { ...spec.task.labels, ...readMetrics(operation.child('metrics')) } },
  }
}

/** As labels of its containers, by which those are found that tell metrics, whoever started them. */
function readMetrics(metrics: Field): Readonly<Record<string, string>> {
  if (!metrics.isPresent) return {}
  const port = (metrics.isMapping() ? metrics.child('port') : metrics).whole({ min: 1, max: MAX_PORT })
  const path = metrics.isMapping() ? metrics.child('path').text() : null
  if (path !== null && !path.startsWith('/'))
    metrics.child('path').refuse(`the path ${JSON.stringify(path)} does not begin with /`)
  if (port === null) return {}
  const labels = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port) }
  return path === null ? labels : { ...labels, 'prometheus.io/path': path }
}

function readPeople(operation: Field, application: Field): PeopleSpec | undefined {
  const text = (name: string) => operation.child(name).text() ?? application.child(name).text() ?? ''
  const people = { owner: text('owner'), contact: text('contact'), runbook: text('runbook') }
  return people.owner + people.contact + people.runbook === '' ? undefined : people
}

function readAffinities(list: Field, type: AffinitySpec['type'], names: readonly string[]): readonly AffinitySpec[] {
  return list.items().flatMap((item) => {
    const service = item.child('service').text()
    if (service === null) return []
    if (!/^[a-zA-Z0-9._-]+(\/[a-zA-Z0-9._-]+)?$/.test(service))
      item.child('service').refuse(`${JSON.stringify(service)} is not a service or STACK/SERVICE`)
    else if (!service.includes('/') && !names.includes(service))
      item.child('service').refuse(`names the service "${service}", which the file does not have`)
    const topology = item.child('topology').text() ?? 'node.id'
    return [{ type, service, topology, isRequired: item.child('required').flag() ?? false }]
  })
}

/** What `update_config` says stays; the strategy and its judgement are said here. */
function readRollout(update: RolloutSpec, rollout: Field): RolloutSpec {
  if (!rollout.isPresent) return update
  const steps = rollout.child('steps')
  const strategy =
    rollout.child('strategy').oneOf(['rolling', 'blue-green', 'canary']) ?? (steps.isPresent ? 'canary' : 'rolling')
  const isCanary = strategy === 'canary'
  if (isCanary && steps.items().length === 0) rollout.refuse('the strategy canary needs "steps"')
  const judged = ['steps', 'min_requests', 'max_error_ratio', 'latency_percentile', 'max_latency_ratio', 'promote']
  for (const name of isCanary ? [] : judged)
    if (rollout.child(name).isPresent) rollout.child(name).refuse(`"${name}" belongs to the strategy canary`)
  return {
    ...update,
    strategy,
    order: rollout.child('order').oneOf(['auto', 'start-first', 'stop-first']) ?? update.order,
    canary: isCanary ? readCanary(rollout) : null,
  }
}

function readCanary(rollout: Field): CanarySpec {
  const ratio = (name: string, otherwise: number, max: number) => {
    const value = rollout.child(name).decimal()
    if (value !== null && (value < 0 || value > max)) rollout.child(name).refuse(`"${name}" is from 0 to ${max}`)
    return value ?? otherwise
  }
  let before = 0
  const steps = rollout
    .child('steps')
    .items()
    .flatMap((item) => {
      const weightPercent = item.child('weight').decimal()
      const holdMs = item.child('hold').durationMs() ?? PLAIN_CANARY.holdMs
      if (weightPercent === null) return []
      if (weightPercent <= before || weightPercent > 100)
        item.child('weight').refuse(`weights grow from step to step, up to 100: ${weightPercent} comes after ${before}`)
      before = weightPercent
      return [{ weightPercent, holdMs }]
    })
  return {
    steps,
    minRequests: rollout.child('min_requests').whole() ?? PLAIN_CANARY.minRequests,
    maxErrorRatio: ratio('max_error_ratio', PLAIN_CANARY.maxErrorRatio, 1),
    latencyPercentile: rollout.child('latency_percentile').decimal() ?? PLAIN_CANARY.latencyPercentile,
    maxLatencyRatio: ratio('max_latency_ratio', PLAIN_CANARY.maxLatencyRatio, 1000),
    isPromotedByHand: rollout.child('promote').text() === 'by-hand',
  }
}

function readChecks(checks: Field): ChecksSpec {
  return {
    startup: readCheck(checks.child('startup')),
    readiness: readCheck(checks.child('readiness')),
    liveness: readCheck(checks.child('liveness')),
  }
}

function readCheck(check: Field): CheckSpec | null {
  if (!check.isPresent) return null
  const probes = (['http', 'tcp', 'command'] as const).filter((type) => check.child(type).isPresent)
  const [type] = probes
  if (type === undefined || probes.length > 1) check.refuse('a check needs one of "http", "tcp" and "command"')
  const probe = type === undefined ? null : readProbe(type, check.child(type))
  if (probe === null) return null
  const time = (name: string, otherwise: number) => check.child(name).durationMs() ?? otherwise
  return {
    probe,
    intervalMs: time('interval', PLAIN_CHECK.intervalMs),
    timeoutMs: time('timeout', PLAIN_CHECK.timeoutMs),
    failures: check.child('failures').whole({ min: 1 }) ?? PLAIN_CHECK.failures,
    successes: check.child('successes').whole({ min: 1 }) ?? PLAIN_CHECK.successes,
    initialDelayMs: time('initial_delay', PLAIN_CHECK.initialDelayMs),
  }
}

function readProbe(type: ProbeSpec['type'], probe: Field): ProbeSpec | null {
  if (type === 'command') {
    const command = readCommand(probe)
    return command === null || command.length === 0 ? null : { type, command }
  }
  const port = probe.child('port').whole({ min: 1, max: MAX_PORT })
  if (port === null) return null
  if (type === 'tcp') return { type, port }
  const path = probe.child('path').text() ?? '/'
  if (!path.startsWith('/')) probe.child('path').refuse(`path ${JSON.stringify(path)} must begin with /`)
  const headers = withoutNulls(probe.child('headers').pairs())
  return { type, port, path, host: probe.child('host').text(), headers, statuses: readStatuses(probe.child('status')) }
}

/** `200`, `200-299`. */
function readStatuses(status: Field): readonly [number, number] {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(status.text() ?? '200-399')
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
  if (match === null || last < first) status.refuse(`${JSON.stringify(status.value)} is not a status or a range such as 200-299`)
  return match === null ? [200, 399] : [first, last]
}

/** A schedule makes a job of a service. */
function readJob(spec: ServiceSpec, operation: Field): JobSpec | null {
  const [job, schedule] = [operation.child('job'), operation.child('schedule')]
  if (!job.isPresent && !schedule.isPresent) return spec.job
  if (spec.mode === 'global') operation.refuse('a job is not of the mode global: say global-job')
  const base = spec.job ?? {
    completions: spec.replicas,
    parallelism: spec.replicas,
    deadlineMs: null,
    retries: 3,
    schedule: null,
  }
  const completions = job.child('completions').whole({ min: 1, max: 100_000 }) ?? base.completions
  return {
    completions,
    parallelism: job.child('parallelism').whole({ min: 1, max: 100_000 }) ?? Math.min(base.parallelism, completions),
    deadlineMs: job.child('deadline').durationMs() ?? base.deadlineMs,
    retries: job.child('retries').whole() ?? base.retries,
    schedule: schedule.isPresent ? readSchedule(schedule) : null,
  }
}

function readSchedule(schedule: Field): ScheduleSpec {
  const isLong = schedule.isMapping()
  const cron = (isLong ? schedule.child('cron').text() : schedule.text()) ?? ''
  const place = isLong ? schedule.child('cron') : schedule
  refuseUnless(place, () => parseCron(cron.trim()))
  const zone = isLong ? (schedule.child('time_zone').text() ?? 'UTC') : 'UTC'
  refuseUnless(schedule.child('time_zone'), () => timeZone(zone))
  return {
    cron: cron.trim(),
    timeZone: zone,
    concurrency: schedule.child('concurrency').oneOf(['allow', 'forbid', 'replace']) ?? 'forbid',
    startingDeadlineMs: schedule.child('starting_deadline').durationMs(),
    isSuspended: schedule.child('suspended').flag() ?? false,
    keepSucceeded: schedule.child('keep_succeeded').whole({ max: 1000 }) ?? KEPT.succeeded,
    keepFailed: schedule.child('keep_failed').whole({ max: 1000 }) ?? KEPT.failed,
  }
}

/** What a job would stumble over is refused where it is written. */
function refuseUnless(place: Field, read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error
    place.refuse(messageOf(error))
  }
}
