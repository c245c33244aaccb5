import type { DeployWish, NodeWish, ServiceVerb } from '#cluster/operations'
import type { CanarySpec, RolloutSpec } from '#cluster/spec'

import { apiError } from './errors.ts'

/** Bodies of what is asked of services and nodes. What is not known is refused by name. Errors: `api.bad_request`. */

export function readVerb(body: unknown): ServiceVerb {
  const record = asRecord(body, 'body')
  const { verb, ...rest } = record
  switch (verb) {
    case 'deploy':
      return { verb, ...readDeploy(rest) }
    case 'rollback': {
      only(rest, ['revision'], 'body')
      return rest['revision'] === undefined ? { verb } : { verb, revision: asWhole(rest['revision'], 'revision', 1) }
    }
    case 'scale':
      only(rest, ['replicas'], 'body')
      return { verb, replicas: asWhole(rest['replicas'], 'replicas', 0) }
    case 'pause':
    case 'resume':
    case 'promote':
    case 'abort':
    case 'remove':
      only(rest, [], 'body')
      return { verb }
    default:
      throw wrong('verb', 'deploy, rollback, scale, pause, resume, promote, abort or remove', verb)
  }
}

function readDeploy(body: Body): DeployWish {
  only(body, ['image', 'environment', 'replicas', 'rollout', 'isForced'], 'body')
  const { image, environment, replicas, rollout, isForced } = body
  return {
    ...(image === undefined ? {} : { image: asText(image, 'image') }),
    ...(environment === undefined ? {} : { environment: textsOrNull(environment, 'environment') }),
    ...(replicas === undefined ? {} : { replicas: asWhole(replicas, 'replicas', 0) }),
    ...(rollout === undefined ? {} : { rollout: readRollout(asRecord(rollout, 'rollout')) }),
    ...(isForced === undefined ? {} : { isForced: asFlag(isForced, 'isForced') }),
  }
}

const ROLLOUT: { readonly [K in keyof RolloutSpec]: (value: unknown, place: string) => RolloutSpec[K] } = {
  strategy: (value, place) => asOne(value, place, ['rolling', 'blue-green', 'canary']),
  order: (value, place) => asOne(value, place, ['auto', 'start-first', 'stop-first']),
  failureAction: (value, place) => asOne(value, place, ['rollback', 'pause', 'continue']),
  parallelism: (value, place) => asWhole(value, place, 0),
  delayMs: (value, place) => asNumber(value, place, 0, MAX_MS),
  monitorMs: (value, place) => asNumber(value, place, 0, MAX_MS),
  maxFailureRatio: (value, place) => asNumber(value, place, 0, 1),
  canary: (value, place) => (value === null ? null : readCanary(asRecord(value, place), place)),
}

/** A day: whoever waits longer than that for a rollout wants something else. */
const MAX_MS = 86_400_000

function readRollout(body: Body): Partial<RolloutSpec> {
  only(body, Object.keys(ROLLOUT), 'rollout')
  const read = (name: keyof RolloutSpec) => [name, ROLLOUT[name](body[name], `rollout.${name}`)]
  return Object.fromEntries((Object.keys(body) as (keyof RolloutSpec)[]).map(read)) as Partial<RolloutSpec>
}

const MAX_STEPS = 100

function readCanary(body: Body, place: string): CanarySpec {
  const names = ['steps', 'minRequests', 'maxErrorRatio', 'latencyPercentile', 'maxLatencyRatio', 'isPromotedByHand']
  only(body, names, place)
  const { steps } = body
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > MAX_STEPS)
    throw wrong(`${place}.steps`, `a list of 1 to ${MAX_STEPS} steps`, steps)
  let before = 0
  return {
    steps: steps.map((step: unknown, index) => {
      const at = `${place}.steps[${index}]`
      const { weightPercent, holdMs } = asRecord(step, at)
      const weight = asNumber(weightPercent, `${at}.weightPercent`, 0, 100)
      if (weight <= before) throw wrong(`${at}.weightPercent`, `more than ${before}`, weight)
      before = weight
      return { weightPercent: weight, holdMs: asNumber(holdMs, `${at}.holdMs`, 0, MAX_MS) }
    }),
    minRequests: asWhole(body['minRequests'], `${place}.minRequests`, 0),
    maxErrorRatio: asNumber(body['maxErrorRatio'], `${place}.maxErrorRatio`, 0, 1),
    latencyPercentile: asNumber(body['latencyPercentile'], `${place}.latencyPercentile`, 0, 1),
    maxLatencyRatio: asNumber(body['maxLatencyRatio'], `${place}.maxLatencyRatio`, 0, 1000),
    isPromotedByHand: asFlag(body['isPromotedByHand'], `${place}.isPromotedByHand`),
  }
}

export function readNodeWish(body: unknown): NodeWish {
  const record = asRecord(body, 'body')
  only(record, ['labels', 'availability'], 'body')
  const { labels, availability } = record
  return {
    ...(labels === undefined ? {} : { labels: textsOrNull(labels, 'labels') }),
    ...(availability === undefined
      ? {}
      : { availability: asOne(availability, 'availability', ['active', 'pause', 'drain'] as const) }),
  }
}

type Body = Readonly<Record<string, unknown>>

function only(body: Body, known: readonly string[], place: string): void {
  const other = Object.keys(body).find((name) => !known.includes(name))
  if (other !== undefined) throw apiError('api.bad_request', `${place}: unknown field ${JSON.stringify(other)}`)
}

function asRecord(value: unknown, place: string): Body {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body
  throw wrong(place, 'an object', value)
}

function asText(value: unknown, place: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(place, 'a text', value)
}

function asFlag(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value
  throw wrong(place, 'true or false', value)
}

function asWhole(value: unknown, place: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw wrong(place, `a whole number from ${least} on`, value)
}

function asNumber(value: unknown, place: string, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw wrong(place, `a number from ${least} to ${most}`, value)
}

function asOne<const T extends string>(value: unknown, place: string, known: readonly T[]): T {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw wrong(place, `one of ${known.join(', ')}`, value)
}

function textsOrNull(value: unknown, place: string): Readonly<Record<string, string | null>> {
  const record = asRecord(value, place)
  for (const [name, text] of Object.entries(record))
    if (name === '' || (typeof text !== 'string' && text !== null)) throw wrong(`${place}.${name}`, 'a text or null', text)
  return record as Readonly<Record<string, string | null>>
}

function wrong(place: string, wanted: string, value: unknown): Error {
  return apiError('api.bad_request', `${place} must be ${wanted}, not ${(JSON.stringify(value) ?? 'nothing').slice(0, 60)}`)
}
