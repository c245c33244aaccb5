import { commandWords } from './command-words.ts'
import type { ReadContext } from './context.ts'
import { parseEnvFile } from './env-file.ts'
import type { Field } from './fields.ts'
import type { AttachmentSpec, HealthSpec, TaskTemplate } from './model.ts'
import { hostPath } from './paths.ts'
import { readMounts } from './read-mounts.ts'
import { readExpose } from './read-ports.ts'
import { readLog, readResources, readSecurity, withoutNulls } from './read-resources.ts'

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
    labels: withoutNulls(service.child('labels').pairs()),
    annotations: withoutNulls(service.child('annotations').pairs()),
    hasInit: service.child('init').flag() ?? false,
    hasTty: service.child('tty').flag() ?? false,
    isStdinOpen: service.child('stdin_open').flag() ?? false,
    stopSignal: service.child('stop_signal').text(),
    stopGracePeriodMs: service.child('stop_grace_period').durationMs(),
    expose: readExpose(service.child('expose')),
    health: readHealth(service.child('healthcheck')),
    mounts: readMounts(service, context),
    networks: readAttachments(service.child('networks'), context),
    dns: service.child('dns').texts(),
    dnsSearch: service.child('dns_search').texts(),
    dnsOptions: service.child('dns_opt').texts(),
    extraHosts: readExtraHosts(service.child('extra_hosts')),
    resources: readResources(service),
    security: readSecurity(service),
    log: readLog(service.child('logging')),
  }
}

export function readCommand(command: Field): readonly string[] | null {
  if (!command.isPresent) return null
  if (command.isList()) return command.texts()
  const words = commandWords(command.text() ?? '')
  if (words === undefined) command.refuse(`${JSON.stringify(command.value)} has a quote that is never closed`)
  return words ?? null
}

/** Files first, in their order; `environment` on top. A name without a value takes the user's own, or is left out. */
function readEnvironment(service: Field, context: ReadContext): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  const files = service.child('env_file')
  for (const item of files.isList() ? files.items() : [files]) Object.assign(values, readEnvFileField(item, context))
  for (const [name, value] of Object.entries(service.child('environment').pairs())) {
    const known = value ?? context.lookup(name)
    if (known === undefined) delete values[name]
    else values[name] = known
  }
  return values
}

function readEnvFileField(item: Field, context: ReadContext): Readonly<Record<string, string>> {
  if (item.isMapping()) item.only(['path', 'required', 'format'])
  const path = item.isMapping() ? item.child('path').text() : item.text()
  if (path === null) return {}
  const format = item.isMapping() ? item.child('format').text() : null
  if (format !== null) item.child('format').refuse(`"env_file" format ${JSON.stringify(format)} is not supported yet`)
  const isRequired = item.isMapping() ? (item.child('required').flag() ?? true) : true
  const text = context.readFile(hostPath(context, path))
  if (text === null) {
    if (isRequired) item.refuse(`"env_file" ${path} does not exist`)
    return {}
  }
  const parsed = parseEnvFile(text, context.lookup)
  if (parsed.errors.length > 0) item.refuse(`"env_file" ${path}: ${parsed.errors.join('; ')}`)
  return parsed.values
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

function readAttachments(networks: Field, context: ReadContext): readonly AttachmentSpec[] {
  if (!networks.isPresent) return [{ network: 'default', aliases: [] }]
  const named = networks.isList()
    ? networks.items().map((item) => [item.text() ?? '', null, item] as const)
    : networks.entries().map(([key, item]) => [key, item, item] as const)
  return named.flatMap(([network, options, place]) => {
    options?.only(['aliases'])
    if (network !== 'default' && !context.networks.includes(network)) {
      place.refuse(`network "${network}" is not declared under the top-level "networks"`)
      return []
    }
    return [{ network, aliases: options?.child('aliases').texts() ?? [] }]
  })
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
