import type { BuildSecretSpec, BuildSpec } from './build-model.ts'
import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import { hostPath } from './paths.ts'
import type { Origin } from './source-node.ts'
import { readUlimits } from './read-resources.ts'
import { readExtraHosts } from './read-task.ts'

const BUILD_FIELDS: readonly string[] = [
  ...['context', 'dockerfile', 'dockerfile_inline', 'args', 'labels', 'target', 'network', 'tags', 'platforms'],
  ...['cache_from', 'cache_to', 'no_cache', 'pull', 'additional_contexts', 'secrets', 'ssh', 'entitlements'],
  ...['privileged', 'shm_size', 'ulimits', 'extra_hosts', 'isolation', 'provenance', 'sbom'],
]

/** `build:`, a path or a mapping. */
export function readBuild(build: Field, context: ReadContext): BuildSpec | null {
  if (!build.isPresent) return null
  if (!build.isMapping()) return { ...NO_OPTIONS, context: place(build.origin, build.text() ?? '.') }
  build.only(BUILD_FIELDS)
  const dockerfile = build.child('dockerfile').text()
  const dockerfileText = build.child('dockerfile_inline').text()
  if (dockerfile !== null && dockerfileText !== null)
    build.child('dockerfile_inline').refuse('"dockerfile_inline" and "dockerfile" exclude each other')
  build.child('isolation').oneOf(['default'])
  const isPrivileged = build.child('privileged').flag() ?? false
  return {
    context: place(build.child('context').origin, build.child('context').text() ?? '.'),
    dockerfile: dockerfile ?? 'Dockerfile',
    dockerfileText,
    args: known(build.child('args')),
    labels: withoutNulls(build.child('labels').pairs()),
    target: build.child('target').text(),
    network: build.child('network').text(),
    tags: build.child('tags').texts(),
    platforms: build.child('platforms').texts(),
    cacheFrom: build.child('cache_from').texts(),
    cacheTo: build.child('cache_to').texts(),
    additionalContexts: Object.fromEntries(
      Object.entries(withoutNulls(build.child('additional_contexts').pairs())).map(([name, at]) => [
        name,
        place(build.child('additional_contexts').origin, at),
      ]),
    ),
    secrets: readSecrets(build.child('secrets'), context),
    ssh: readSsh(build.child('ssh')),
    entitlements: [...build.child('entitlements').texts(), ...(isPrivileged ? ['security.insecure'] : [])],
    isCacheOff: build.child('no_cache').flag() ?? false,
    pulls: build.child('pull').flag() ?? false,
    shmBytes: build.child('shm_size').bytes(),
    ulimits: readUlimits(build.child('ulimits')),
    extraHosts: readExtraHosts(build.child('extra_hosts')),
    provenance: build.child('provenance').text(),
    sbom: build.child('sbom').text(),
  }
}

const NO_OPTIONS: Omit<BuildSpec, 'context'> = {
  dockerfile: 'Dockerfile',
  dockerfileText: null,
  args: {},
  labels: {},
  target: null,
  network: null,
  tags: [],
  platforms: [],
  cacheFrom: [],
  cacheTo: [],
  additionalContexts: {},
  secrets: [],
  ssh: [],
  entitlements: [],
  isCacheOff: false,
  pulls: false,
  shmBytes: null,
  ulimits: [],
  extraHosts: [],
  provenance: null,
  sbom: null,
}

/** Paths are made absolute; what names something else stays as it is. */
function place(origin: Origin, text: string): string {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|service:|git@)/.test(text) ? text : hostPath(origin, text)
}

/** An argument without a value takes it from the environment, and is left out when it is not there. */
function known(args: Field): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(args.pairs()).flatMap(([name, value]) => {
      const found = value ?? args.origin.lookup(name)
      return found === undefined ? [] : [[name, found] as const]
    }),
  )
}

function readSecrets(secrets: Field, context: ReadContext): readonly BuildSecretSpec[] {
  return secrets.items().flatMap((item) => {
    // A build sees a secret under its id alone: who owns it and where it lies is said in the Dockerfile.
    if (item.isMapping()) item.only(['source', 'target'])
    const name = item.isMapping() ? item.child('source').text() : item.text()
    if (name === null) return []
    const source = Object.hasOwn(context.secrets, name) ? context.secrets[name] : undefined
    if (source?.type !== 'file' && source?.type !== 'variable') {
      item.refuse(`"${name}" is not declared under the top-level "secrets" with a file or a variable`)
      return []
    }
    return [
      {
        id: (item.isMapping() ? item.child('target').text() : null) ?? name,
        file: source.type === 'file' ? source.path : null,
        variable: source.type === 'variable' ? source.name : null,
      },
    ]
  })
}

/** `default`, a list of `NAME=SOCKET`, or a mapping. */
function readSsh(ssh: Field): readonly string[] {
  if (!ssh.isMapping() && !ssh.isList()) return ssh.texts()
  return Object.entries(ssh.pairs()).map(([name, socket]) => (socket === null || socket === '' ? name : `${name}=${socket}`))
}
