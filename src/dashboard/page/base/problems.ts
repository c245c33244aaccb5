import type { LiveState } from './live-state.ts'
import { percent, bytes } from './format.ts'
import { to } from './place.ts'

/** Something that somebody should look at. */
export interface Problem {
  readonly id: string
  readonly tone: 'bad' | 'warn'
  /** What is red: `shop/web`. */
  readonly subject: string
  /** What is wrong with it, in a sentence. */
  readonly text: string
  readonly link: string
  /** What `why` is asked about; null: nothing. */
  readonly why: string | null
}

const DISK_WARN = 0.1
const DISK_BAD = 0.03
const MEMORY_WARN = 0.08
/** Below, one failure among a handful of requests would shout. */
const MIN_REQUESTS_PER_S = 0.5
const ERROR_WARN = 0.02

/** Everything that is not as it should be, the worst first. Pure. */
export function problemsOf(state: LiveState): readonly Problem[] {
  const all = [
    ...hostProblems(state),
    ...stackProblems(state),
    ...serviceProblems(state),
    ...containerProblems(state),
    ...routeProblems(state),
    ...nodeProblems(state),
  ]
  return all.toSorted((a, b) => (a.tone === b.tone ? (a.subject < b.subject ? -1 : 1) : a.tone === 'bad' ? -1 : 1))
}

function hostProblems({ host }: LiveState): readonly Problem[] {
  const self = host.get('self')
  if (self === undefined) return []
  const free = self.diskFreeBytes / Math.max(1, self.diskBytes)
  const memory = self.memoryAvailableBytes / Math.max(1, self.memoryBytes)
  return [
    ...(free < DISK_WARN
      ? [
          {
            id: 'disk',
            tone: free < DISK_BAD ? ('bad' as const) : ('warn' as const),
            subject: self.name,
            text: `The disk is ${percent(1 - free)} full: ${bytes(self.diskFreeBytes)} are left.`,
            link: to('storage'),
            why: null,
          },
        ]
      : []),
    ...(memory < MEMORY_WARN
      ? [
          {
            id: 'memory',
            tone: 'warn' as const,
            subject: self.name,
            text: `Memory is short: ${bytes(self.memoryAvailableBytes)} of ${bytes(self.memoryBytes)} are left.`,
            link: to('nodes'),
            why: null,
          },
        ]
      : []),
  ]
}

function stackProblems({ stacks }: LiveState): readonly Problem[] {
  return [...stacks.values()].flatMap((stack) =>
    stack.services
      .filter(({ state, whyNotYet }) => state === 'failed' || (state !== 'ready' && state !== 'done' && whyNotYet !== null))
      .map((service) => ({
        id: `stack ${stack.name} ${service.name}`,
        tone: service.state === 'failed' ? ('bad' as const) : ('warn' as const),
        subject: `${stack.name}/${service.name}`,
        text: service.whyNotYet ?? `${service.readyReplicas} of ${service.desiredReplicas} are ready.`,
        link: to('apps', stack.name),
        why: `${stack.name}/${service.name}`,
      })),
  )
}

function serviceProblems({ services, stacks }: LiveState): readonly Problem[] {
  return [...services.values()]
    .filter(({ stack, waits }) => waits.length > 0 && (stack === null || !stacks.has(stack)))
    .map((service) => ({
      id: `service ${service.id}`,
      tone: service.waits.some(({ isHopeless }) => isHopeless) ? ('bad' as const) : ('warn' as const),
      subject: service.name,
      text: service.waits[0]?.reason ?? '',
      link: to('services', service.name),
      why: service.name,
    }))
}

/** Of tasks their service speaks. */
function containerProblems({ containers }: LiveState): readonly Problem[] {
  return [...containers.values()].flatMap((container) => {
    const { id, name, health, state, error, isOomKilled } = container
    const problem = (tone: Problem['tone'], text: string) => [
      { id: `container ${id}`, tone, subject: name, text, link: to('containers', id), why: name },
    ]
    if (health === 'unhealthy') return problem('bad', 'Its health check fails.')
    if (container.stack !== null) return []
    if (state === 'restarting') return problem('bad', `It ends again and again, last with exit code ${container.exitCode}.`)
    if (state === 'dead') return problem('bad', error === '' ? 'It is dead.' : error)
    if (state === 'exited' && isOomKilled) return problem('warn', 'It was ended because it used all of its memory.')
    if (state === 'created' && error !== '') return problem('warn', error)
    return []
  })
}

function routeProblems({ routes }: LiveState): readonly Problem[] {
  return [...routes.values()].flatMap((route): readonly Problem[] => {
    const failing = route.rates.filter((group) => group.requestsPerS >= MIN_REQUESTS_PER_S && group.errorRatio > ERROR_WARN)
    const worst = failing.toSorted((a, b) => b.errorRatio - a.errorRatio)[0]
    const base = { id: `route ${route.id}`, subject: route.id, link: to('routes', route.id), why: null }
    if (route.problem !== null) return [{ ...base, tone: 'bad', text: route.problem }]
    if (worst === undefined) return []
    const of = worst.group === '' ? '' : ` of ${worst.group}`
    return [{ ...base, tone: 'warn', text: `${percent(worst.errorRatio)} of the answers${of} are errors.` }]
  })
}

function nodeProblems({ nodes }: LiveState): readonly Problem[] {
  return [...nodes.values()]
    .filter(({ status }) => status.state === 'down' || status.state === 'disconnected')
    .map(({ id, description, status }) => ({
      id: `node ${id}`,
      tone: 'bad' as const,
      subject: description.hostname,
      text: status.message === '' ? `The node is ${status.state}.` : status.message,
      link: to('nodes'),
      why: null,
    }))
}
