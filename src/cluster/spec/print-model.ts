import { stringify } from 'yaml'

import type { MountSpec, ServicePortSpec, ServiceSpec } from './model.ts'
import { hostPath } from './paths.ts'
import type { ComposeReading } from './read-compose.ts'
import { childOf, isNull, plain, textOf, type SourceNode } from './source-node.ts'

type Plain = Readonly<Record<string, unknown>>

/**
 * The application as one Compose file that stands for itself: merged, variables filled in, environment files and extended services taken in,
 * paths absolute, services of other profiles left out. Reading it again gives the same model.
 */
export function printableModel({ merged, spec, builds }: ComposeReading): Plain {
  const sections = ['networks', 'volumes', 'secrets', 'configs'] as const
  const services = spec.services.map((service) => {
    const node = childOf(childOf(merged, 'services'), service.name)
    return [service.name, printService(node, service, builds[service.name]?.args ?? {})] as const
  })
  const extensions = merged.kind === 'map' ? [...merged.entries.keys()].filter((key) => key.startsWith('x-')) : []
  return doubled({
    name: spec.name,
    services: Object.fromEntries(services),
    ...Object.fromEntries(
      sections.flatMap((section) => {
        const items = printSection(childOf(merged, section), spec[section])
        return Object.keys(items).length === 0 ? [] : [[section, items] as const]
      }),
    ),
    ...Object.fromEntries(extensions.map((key) => [key, printExtension(childOf(merged, key))])),
  }) as Plain
}

export function modelText(model: unknown, format: 'yaml' | 'json'): string {
  return format === 'json' ? `${JSON.stringify(model, null, 2)}\n` : stringify(model, { lineWidth: 0, version: '1.1' })
}

/** A plain dollar sign is written twice in a Compose file. */
function doubled(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$')
  if (Array.isArray(value)) return value.map(doubled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, doubled(item)]))
}

/** With the names that they have on the node, and paths absolute. */
function printSection(section: SourceNode | undefined, specs: readonly { readonly key: string; readonly name: string }[]): Plain {
  const said = section?.kind === 'map' ? [...section.entries.keys()] : []
  const keys = [...new Set([...said, ...specs.map(({ key }) => key)])]
  return Object.fromEntries(
    keys.map((key) => {
      const node = childOf(section, key)
      const file = textOf(childOf(node, 'file'))
      const name = specs.find((spec) => spec.key === key)?.name
      const base = isNull(node) ? {} : (plain(node) as Plain)
      const place = file === undefined || node === undefined ? {} : { file: hostPath(pathOrigin(node, 'file'), file) }
      // An external one in the older form has its name inside.
      const isOld = typeof base['external'] === 'object'
      return [key, { ...(name === undefined || isOld ? {} : { name }), ...base, ...place }]
    }),
  )
}

function pathOrigin(node: SourceNode, key: string) {
  return (childOf(node, key) ?? node).spot.origin
}

/** Certificates of routes are files; nothing else of our extension is. */
function printExtension(node: SourceNode | undefined): unknown {
  const routes = childOf(node, 'routes')
  if (node?.kind !== 'map' || routes?.kind !== 'list') return plain(node)
  const printed = routes.items.map((route) => {
    const tls = childOf(route, 'tls')
    if (tls?.kind !== 'map') return plain(route)
    const files = ['certificate', 'key'].flatMap((key) => {
      const path = textOf(childOf(tls, key))
      return path === undefined ? [] : [[key, hostPath(pathOrigin(tls, key), path)] as const]
    })
    return { ...(plain(route) as Plain), tls: { ...(plain(tls) as Plain), ...Object.fromEntries(files) } }
  })
  return { ...(plain(node) as Plain), routes: printed }
}

/** What the printed service says in another form than the file. */
const TAKEN_IN = ['env_file', 'label_file', 'tmpfs', 'extends']

function printService(node: SourceNode | undefined, spec: ServiceSpec, buildArgs: Readonly<Record<string, string>>): Plain {
  const said = (plain(node) ?? {}) as Plain
  const kept = Object.fromEntries(Object.entries(said).filter(([key]) => !TAKEN_IN.includes(key)))
  const { environment, labels, mounts } = spec.task
  const tmpfs = mounts.flatMap((mount) =>
    mount.type === 'tmpfs' && mount.sizeBytes === null && mount.mode === null
      ? [[mount.target, mount.options.join(',')].filter((part) => part !== '').join(':')]
      : [],
  )
  const volumes = mounts.flatMap((mount) => printMount(mount))
  return {
    ...kept,
    ...(said['build'] === undefined || node === undefined ? {} : { build: printBuild(childOf(node, 'build'), buildArgs) }),
    ...named(said, 'depends_on', () => ({ condition: 'service_started' })),
    ...named(said, 'networks', () => null),
    ...(Object.keys(environment).length === 0 ? withoutKey('environment') : { environment }),
    ...(Object.keys(labels).length === 0 ? withoutKey('labels') : { labels }),
    ...(spec.ports.length === 0 ? {} : { ports: spec.ports.map(printPort) }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(tmpfs.length === 0 ? {} : { tmpfs }),
    ...(said['x-glovebox'] === undefined ? {} : { 'x-glovebox': printExtension(childOf(node, 'x-glovebox')) }),
    ...(said['develop'] === undefined ? {} : { develop: printWatches(childOf(node, 'develop')) }),
    ...(said['security_opt'] === undefined ? {} : { security_opt: printSecurity(childOf(node, 'security_opt')) }),
  }
}

/** Undefined is printed by nobody. */
function withoutKey(key: string): Plain {
  return { [key]: undefined }
}

function named(said: Plain, key: string, valueOf: () => unknown): Plain {
  const value = said[key]
  return Array.isArray(value) ? { [key]: Object.fromEntries(value.map((name) => [String(name), valueOf()])) } : {}
}

function printBuild(build: SourceNode | undefined, args: Readonly<Record<string, string>>): Plain {
  if (build === undefined) return {}
  const place = (node: SourceNode | undefined) => {
    const text = textOf(node) ?? '.'
    return /^(?:[a-z][a-z0-9+.-]*:\/\/|service:|git@)/.test(text) ? text : hostPath((node ?? build).spot.origin, text)
  }
  if (build.kind !== 'map') return { context: place(build) }
  const contexts = childOf(build, 'additional_contexts')
  const pairs = contexts?.kind === 'map' ? [...contexts.entries].map(([name, node]) => [name, place(node)] as const) : []
  return {
    ...(plain(build) as Plain),
    context: place(childOf(build, 'context')),
    ...(Object.keys(args).length === 0 ? {} : { args }),
    ...(pairs.length === 0 ? {} : { additional_contexts: Object.fromEntries(pairs) }),
  }
}

function printPort({ containerPort, published, protocol, hostIp, mode, appProtocol }: ServicePortSpec): Plain {
  return {
    mode,
    target: containerPort,
    ...(published === null ? {} : { published: String(published) }),
    protocol,
    ...(hostIp === '' ? {} : { host_ip: hostIp }),
    ...(appProtocol === 'tcp' ? {} : { app_protocol: appProtocol }),
  }
}

function printMount(mount: MountSpec): readonly Plain[] {
  const { type, target } = mount
  if (mount.type === 'tmpfs') {
    if (mount.sizeBytes === null && mount.mode === null) return []
    const size = mount.sizeBytes === null ? {} : { size: mount.sizeBytes }
    const mode = mount.mode === null ? {} : { mode: mount.mode }
    return [{ type, target, ...(mount.options.includes('ro') ? { read_only: true } : {}), tmpfs: { ...size, ...mode } }]
  }
  const readOnly = mount.isReadOnly ? { read_only: true } : {}
  if (mount.type === 'bind') {
    const recursive = mount.readOnly === 'non-recursive' ? 'writable' : mount.readOnly === 'forced' ? 'readonly' : undefined
    const depth = mount.isRecursive === false ? 'disabled' : recursive
    const bind = { create_host_path: mount.createSource, propagation: mount.propagation }
    return [
      {
        type,
        source: mount.source,
        target,
        ...readOnly,
        bind: { ...bind, ...(depth === undefined ? {} : { recursive: depth }) },
      },
    ]
  }
  const volume = {
    ...(mount.isNoCopy ? { nocopy: true } : {}),
    ...(mount.subpath === '' ? {} : { subpath: mount.subpath }),
    ...(mount.labels === undefined ? {} : { labels: mount.labels }),
  }
  return [
    {
      type,
      ...(mount.volume === null ? {} : { source: mount.volume }),
      target,
      ...readOnly,
      ...(Object.keys(volume).length === 0 ? {} : { volume }),
    },
  ]
}

function printWatches(develop: SourceNode | undefined): Plain {
  const watch = childOf(develop, 'watch')
  const rules = watch?.kind === 'list' ? watch.items : []
  return {
    ...(plain(develop) as Plain),
    watch: rules.map((rule) => ({
      ...(plain(rule) as Plain),
      path: hostPath(pathOrigin(rule, 'path'), textOf(childOf(rule, 'path')) ?? '.'),
    })),
  }
}

function printSecurity(options: SourceNode | undefined): readonly unknown[] {
  return (options?.kind === 'list' ? options.items : []).map((item) => {
    const match = /^seccomp[=:](.+)$/.exec(textOf(item) ?? '')
    const isFile = match?.[1] !== undefined && match[1] !== 'unconfined' && match[1] !== 'builtin'
    return isFile ? `seccomp=${hostPath(item.spot.origin, match?.[1] ?? '')}` : plain(item)
  })
}
