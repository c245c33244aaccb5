import type { ReadContext } from './context.ts'
import { parseEnvFile, parseRawEnvFile } from './env-file.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { HealthSpec, TaskTemplate } from './model.ts'
import { hostPath } from './paths.ts'
import { readCommand } from './read-command.ts'
import { readHost } from './read-host.ts'
import { readMounts } from './read-mounts.ts'
import { readAttachments } from './read-networks.ts'
import { readExpose } from './read-ports.ts'
import { readLog, readResources } from './read-resources.ts'
import { readSecurity } from './read-security.ts'

export function readTask(service: Field, context: ReadContext, image: string): TaskTemplate {
  return {
    image,
    command: readCommand(service.child('command')),
    entrypoint: readCommand(service.child('entrypoint')),
    environment: readEnvironment(service, context),
    user: service.child('user').text(),
    additionalGroups: service.child('group_add').texts(),
    workingDir: service.child('working_dir').text(),
    hostname: service.child('hostname').text(),
    domainname: service.child('domainname').text(),
    labels: { ...readLabelFiles(service.child('label_file'), context), ...withoutNulls(service.child('labels').pairs()) },
    annotations: withoutNulls(service.child('annotations').pairs()),
    hasInit: service.child('init').flag() ?? false,
    hasTty: service.child('tty').flag() ?? false,
    isStdinOpen: service.child('stdin_open').flag() ?? false,
    stopSignal: service.child('stop_signal').text(),
    stopGracePeriodMs: service.child('stop_grace_period').durationMs(),
    expose: readExpose(service.child('expose')),
    health: readHealth(service.child('healthcheck')),
    mounts: readMounts(service, context),
    networks: service.child('network_mode').isPresent ? [] : readAttachments(service, context),
    dns: service.child('dns').texts(),
    dnsSearch: service.child('dns_search').texts(),
    dnsOptions: service.child('dns_opt').texts(),
    extraHosts: readExtraHosts(service.child('extra_hosts')),
    resources: readResources(service),
    security: readSecurity(service, context),
    log: readLog(service.child('logging')),
    ...readHost(service),
  }
}

/** Files first, in their order; `environment` on top. A name without a value takes the user's own, or is left out. */
function readEnvironment(service: Field, context: ReadContext): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  const files = service.child('env_file')
  for (const item of files.isList() ? files.items() : [files]) Object.assign(values, readEnvFileField(item, context))
  for (const [name, value] of Object.entries(service.child('environment').pairs())) {
    const known = value ?? service.child('environment').origin.lookup(name)
    if (known === undefined) delete values[name]
    else values[name] = known
  }
  return values
}

function readEnvFileField(item: Field, context: ReadContext): Readonly<Record<string, string>> {
  if (item.isMapping()) item.only(['path', 'required', 'format'])
  const path = item.isMapping() ? item.child('path').text() : item.text()
  if (path === null) return {}
  const format = item.isMapping() ? item.child('format').oneOf(['raw']) : null
  const isRequired = item.isMapping() ? (item.child('required').flag() ?? true) : true
  return readPairsFile(item, path, { isRequired, isRaw: format === 'raw' }, context)
}

function readPairsFile(
  item: Field,
  path: string,
  options: { readonly isRequired: boolean; readonly isRaw: boolean },
  context: ReadContext,
): Readonly<Record<string, string>> {
  const text = context.readFile(hostPath(item.origin, path))
  if (text === null) {
    if (options.isRequired) item.refuse(`file ${path} does not exist`)
    return {}
  }
  const parsed = options.isRaw ? parseRawEnvFile(text) : parseEnvFile(text, item.origin.lookup)
  if (parsed.errors.length > 0) item.refuse(`file ${path}: ${parsed.errors.join('; ')}`)
  return parsed.values
}

function readLabelFiles(files: Field, context: ReadContext): Readonly<Record<string, string>> {
  const items = files.isList() ? files.items() : [files]
  const options = { isRequired: true, isRaw: false }
  return Object.assign(
    {},
    ...items.map((item) => {
      const path = item.text()
      return path === null ? {} : readPairsFile(item, path, options, context)
    }),
  ) as Readonly<Record<string, string>>
}

function readHealth(healthcheck: Field): HealthSpec | null {
  if (!healthcheck.isPresent) return null
  healthcheck.only(['test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval', 'disable'])
  const isDisabled = healthcheck.child('disable').flag() ?? false
  return {
    test: isDisabled ? ['NONE'] : readTest(healthcheck.child('test')),
    intervalMs: healthcheck.child('interval').durationMs(),
    timeoutMs: healthcheck.child('timeout').durationMs(),
    startPeriodMs: healthcheck.child('start_period').durationMs(),
    startIntervalMs: healthcheck.child('start_interval').durationMs(),
    retries: healthcheck.child('retries').whole(),
  }
}

function readTest(test: Field): readonly string[] | null {
  if (!test.isPresent) return null
  if (!test.isList()) return ['CMD-SHELL', test.text() ?? '']
  const words = test.texts()
  const isKnown = words[0] === 'NONE' || ((words[0] === 'CMD' || words[0] === 'CMD-SHELL') && words.length > 1)
  if (!isKnown) test.refuse('a "test" list must start with CMD, CMD-SHELL or NONE, and then say what to run')
  return words
}

/** `host:ip` or `host=ip` in a list, or a mapping of host to one or more addresses. */
export function readExtraHosts(hosts: Field): readonly string[] {
  if (hosts.isMapping())
    return hosts.entries().flatMap(([host, addresses]) => addresses.texts().map((address) => `${host}:${address}`))
  return hosts.items().flatMap((item) => {
    const match = /^([^=:]+)[=:](.+)$/.exec(item.text() ?? '')
    if (match === null) item.refuse(`"extra_hosts" entry ${JSON.stringify(item.value)} is not host:address`)
    return match === null ? [] : [`${match[1]}:${match[2]?.replace(/^\[(.*)\]$/, '$1')}`]
  })
}
