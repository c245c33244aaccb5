import { isKind, parseBytes } from '#base'
import type { ServiceSpec, StackSpec } from '#cluster/spec'

import { environmentError } from './errors.ts'

/** Something that differs from the source: `api.image=api:1.1`, `web.environment.DEBUG=1`. */
export interface Setting {
  readonly service: string
  readonly change: (service: ServiceSpec) => ServiceSpec
}

const MAX_REPLICAS = 1000
const NANOS = 1_000_000_000
/** As the fields are called in a Compose file, where they are one there. */
const FIELDS = 'image, replicas, memory, cpus, suspended, environment.NAME'

/** Errors: `environment.setting_invalid`, which shows the name and not the value. */
export function applySettings(spec: StackSpec, settings: readonly string[]): StackSpec {
  const read = settings.map((text) => readSetting(text, spec))
  return {
    ...spec,
    services: spec.services.map((service) =>
      read.filter((setting) => setting.service === service.name).reduce((made, { change }) => change(made), service),
    ),
  }
}

/** Names of services may have dots: the longest that fits counts. */
export function readSetting(text: string, { services }: Pick<StackSpec, 'services'>): Setting {
  const equals = text.indexOf('=')
  const [path, value] = equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
  const wrong = (why: string) => environmentError('environment.setting_invalid', `${path.slice(0, 200)}: ${why}`)
  if (value === undefined || path === '') throw wrong('a setting is SERVICE.FIELD=VALUE')
  const service = services
    .map((one) => one.name)
    .filter((one) => path.startsWith(`${one}.`))
    .toSorted((a, b) => b.length - a.length)[0]
  if (service === undefined) throw wrong(`there is no such service, only ${services.map((one) => one.name).join(', ')}`)
  const field = path.slice(service.length + 1)
  return { service, change: changeOf(field, value, wrong) }
}

function changeOf(field: string, value: string, wrong: (why: string) => Error): Setting['change'] {
  const variable = /^environment\.(.+)$/s.exec(field)?.[1]
  if (variable !== undefined) return withTask(({ environment }) => ({ environment: { ...environment, [variable]: value } }))
  switch (field) {
    case 'image':
      if (value === '' || /\s/.test(value)) throw wrong('is no name of an image')
      return withTask(() => ({ image: value }))
    case 'replicas': {
      const replicas = Number(value)
      if (!/^\d+$/.test(value) || replicas > MAX_REPLICAS) throw wrong(`must be a number from 0 to ${MAX_REPLICAS}`)
      return (service) => ({ ...service, replicas })
    }
    case 'memory': {
      const memoryBytes = bytesOf(value, wrong)
      return withTask(({ resources }) => ({ resources: { ...resources, memoryBytes } }))
    }
    case 'cpus': {
      const nanoCpus = Math.round(Number(value) * NANOS)
      if (value.trim() === '' || !Number.isFinite(nanoCpus) || nanoCpus <= 0) throw wrong('must be a number above 0, such as 0.5')
      return withTask(({ resources }) => ({ resources: { ...resources, nanoCpus } }))
    }
    case 'suspended':
      if (value !== 'true' && value !== 'false') throw wrong('must be true or false')
      return (service) => {
        const schedule = service.job?.schedule
        if (service.job === null || schedule === null || schedule === undefined) throw wrong('the service has no schedule')
        return { ...service, job: { ...service.job, schedule: { ...schedule, isSuspended: value === 'true' } } }
      }
    default:
      throw wrong(`cannot be set: choose one of ${FIELDS}`)
  }
}

function withTask(change: (task: ServiceSpec['task']) => Partial<ServiceSpec['task']>): Setting['change'] {
  return (service) => ({ ...service, task: { ...service.task, ...change(service.task) } })
}

function bytesOf(value: string, wrong: (why: string) => Error): number {
  let bytes = 0
  try {
    bytes = parseBytes(value, 'memory')
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error
  }
  if (bytes > 0) return bytes
  throw wrong('must be a size such as 256m')
}
