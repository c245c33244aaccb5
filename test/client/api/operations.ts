/**
 * Every operation of the Docker Engine API that the descriptions name, and what becomes of it here. The tests run over this table, and
 * docs/api-coverage.md is made of it: `node tools/api-coverage.ts`.
 */
export interface ApiOperation {
  /** Method and path as the description writes them. */
  readonly name: string
  /** `done`: answered as described. `refused`: 501 with a message that names it. */
  readonly state: 'done' | 'refused'
  /** Why it is refused, or which part of it. */
  readonly note?: string
}

const done = (name: string, note?: string): ApiOperation => ({ name, state: 'done', ...(note === undefined ? {} : { note }) })
const refused = (name: string, note: string): ApiOperation => ({ name, state: 'refused', note })

const PLUGINS = 'there are no plugins: drivers for volumes and networks are built in'
const CHECKPOINTS = 'the OCI runtime of Debian freezes no containers to disk'
const ATTESTATIONS = 'of 1.52 and later; images are kept without attestations'

export const OPERATIONS: readonly ApiOperation[] = [
  done('GET /containers/json'),
  done('POST /containers/create', 'options that would not be obeyed are refused by name'),
  done('GET /containers/{id}/json'),
  done('GET /containers/{id}/top', 'no `ps` is run: `-ef`, `aux` and `-o` lists'),
  done('GET /containers/{id}/logs'),
  done('GET /containers/{id}/changes'),
  done('GET /containers/{id}/export'),
  done('GET /containers/{id}/stats'),
  done('POST /containers/{id}/resize'),
  done('POST /containers/{id}/start', 'not from a checkpoint'),
  done('POST /containers/{id}/stop'),
  done('POST /containers/{id}/restart'),
  done('POST /containers/{id}/kill'),
  done('POST /containers/{id}/update'),
  done('POST /containers/{id}/rename'),
  done('POST /containers/{id}/pause'),
  done('POST /containers/{id}/unpause'),
  done('POST /containers/{id}/attach'),
  done('GET /containers/{id}/attach/ws'),
  done('POST /containers/{id}/wait'),
  done('DELETE /containers/{id}', 'not of links, which there are none of'),
  done('HEAD /containers/{id}/archive'),
  done('GET /containers/{id}/archive'),
  done('PUT /containers/{id}/archive'),
  done('POST /containers/prune'),
  done('GET /images/json', '`manifests` is refused'),
  done('POST /build', 'the classic builder; BuildKit (`version=2`) is refused'),
  done('POST /build/prune'),
  done('POST /images/create'),
  done('GET /images/{name}/json', '`manifests` is refused'),
  done('GET /images/{name}/history'),
  done('POST /images/{name}/push'),
  done('POST /images/{name}/tag'),
  done('DELETE /images/{name}'),
  refused('GET /images/search', 'registries have no search but the one company’s'),
  refused('GET /images/{name}/attestations', ATTESTATIONS),
  done('POST /images/prune'),
  done('POST /auth'),
  done('GET /info'),
  done('GET /version'),
  done('GET /_ping'),
  done('HEAD /_ping'),
  done('POST /commit'),
  done('GET /events'),
  done('GET /system/df'),
  done('GET /images/{name}/get'),
  done('GET /images/get'),
  done('POST /images/load'),
  done('POST /containers/{id}/exec'),
  done('POST /exec/{id}/start'),
  done('POST /exec/{id}/resize'),
  done('GET /exec/{id}/json'),
  done('GET /volumes'),
  done('POST /volumes/create'),
  done('GET /volumes/{name}'),
  refused('PUT /volumes/{name}', 'cluster volumes only, which there are none of'),
  done('DELETE /volumes/{name}'),
  done('POST /volumes/prune'),
  done('GET /networks'),
  done('GET /networks/{id}'),
  done('DELETE /networks/{id}'),
  done('POST /networks/create'),
  done('POST /networks/{id}/connect'),
  done('POST /networks/{id}/disconnect'),
  done('POST /networks/prune'),
  done('GET /distribution/{name}/json'),
  refused('POST /session', 'a BuildKit session; the classic builder needs none'),
  done('GET /plugins', 'always empty'),
  refused('GET /plugins/privileges', PLUGINS),
  refused('POST /plugins/pull', PLUGINS),
  refused('GET /plugins/{name}/json', PLUGINS),
  refused('DELETE /plugins/{name}', PLUGINS),
  refused('POST /plugins/{name}/enable', PLUGINS),
  refused('POST /plugins/{name}/disable', PLUGINS),
  refused('POST /plugins/{name}/upgrade', PLUGINS),
  refused('POST /plugins/create', PLUGINS),
  refused('POST /plugins/{name}/push', PLUGINS),
  refused('POST /plugins/{name}/set', PLUGINS),
  ...swarmOperations(),
  // dockerd has these, the descriptions do not.
  refused('POST /grpc', 'BuildKit’s; the classic builder needs none'),
  refused('POST /build/cancel', 'BuildKit’s; closing the connection ends a classic build'),
  refused('GET /containers/{id}/checkpoints', CHECKPOINTS),
  refused('POST /containers/{id}/checkpoints', CHECKPOINTS),
  refused('DELETE /containers/{id}/checkpoints/{checkpoint}', CHECKPOINTS),
]

function swarmOperations(): readonly ApiOperation[] {
  const kinds = ['nodes', 'services', 'tasks', 'secrets', 'configs']
  const ofKind: Readonly<Record<string, readonly string[]>> = {
    nodes: ['GET /{id}', 'DELETE /{id}', 'POST /{id}/update'],
    services: ['POST /create', 'GET /{id}', 'DELETE /{id}', 'POST /{id}/update', 'GET /{id}/logs'],
    tasks: ['GET /{id}', 'GET /{id}/logs'],
    secrets: ['POST /create', 'GET /{id}', 'DELETE /{id}', 'POST /{id}/update'],
    configs: ['POST /create', 'GET /{id}', 'DELETE /{id}', 'POST /{id}/update'],
  }
  const names = kinds.flatMap((kind) => [`GET /${kind}`, ...(ofKind[kind] ?? []).map((name) => name.replace(' /', ` /${kind}/`))])
  return [
    done('GET /swarm'),
    done('POST /swarm/init', 'a swarm of this machine'),
    refused('POST /swarm/join', 'a swarm is one machine'),
    done('POST /swarm/leave', 'with `force`, as the last manager has to'),
    done('POST /swarm/update', 'labels and new tokens; what is about other machines is refused by name'),
    done('GET /swarm/unlockkey', 'empty: swarms are not locked'),
    done('POST /swarm/unlock', 'refused as dockerd does: swarms are not locked'),
    ...names.map((name) => done(name)),
  ]
}
