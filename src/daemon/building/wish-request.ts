import type { BuildWish, WireCacheTarget, WireLayerForm, WireOutput } from '#api/glovebox'
import type { BuildOutput, BuildRequest, CacheSource, CacheTarget, LayerForm, RunLimits } from '#engine/builder'
import { parsePlatform } from '#oci/image'
import { parseReference } from '#oci/reference'

/** What a client asks for besides the context, as the builder takes it. Errors: `platform.invalid`. */
export function optionsOf(wish: BuildWish): Omit<BuildRequest, 'context'> {
  const platforms = wish.platforms.length > 0 ? wish.platforms : wish.platform === null ? [] : [wish.platform]
  return {
    tags: wish.tags,
    buildArgs: new Map(Object.entries(wish.args)),
    labels: wish.labels,
    contexts: new Map(Object.entries(wish.contexts)),
    isCacheUsed: wish.usesCache,
    uncachedStages: wish.uncachedStages,
    cacheFrom: wish.cacheFrom.map(({ type, place }) => sourceOf(type, place)),
    cacheTo: wish.cacheTo.map(targetOf),
    isPullForced: wish.pulls,
    network: wish.network,
    entitlements: new Set(wish.entitlements),
    secrets: new Map(Object.entries(wish.secrets).map(([id, text]) => [id, Buffer.from(text, 'base64')])),
    sshAgents: new Map(Object.entries(wish.sshAgents)),
    annotations: wish.annotations.map(({ platform, ...rest }) => ({
      ...rest,
      platform: platform === null ? undefined : parsePlatform(platform),
    })),
    hasSbom: wish.sbom,
    credentialsFor: (reference) => wish.registryAuth[parseReference(reference).registry] ?? null,
    limits: limitsOf(wish),
    ...(wish.outputs.length === 0 ? {} : { outputs: wish.outputs.map(outputOf) }),
    ...(wish.provenance === null ? {} : { provenance: wish.provenance }),
    ...(wish.target === null ? {} : { target: wish.target }),
    ...(platforms.length === 0 ? {} : { platforms: platforms.map(parsePlatform) }),
  }
}

function limitsOf({ limits }: BuildWish): RunLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null))
}

function sourceOf(type: 'registry' | 'local', place: string): CacheSource {
  return type === 'registry' ? { kind: type, reference: place } : { kind: type, path: place }
}

function targetOf(target: WireCacheTarget): CacheTarget {
  if (target.type === 'inline') return { kind: 'inline' }
  return { ...sourceOf(target.type, target.place), mode: target.mode, form: formOf(target) }
}

function outputOf(output: WireOutput): BuildOutput {
  if (!('compression' in output)) return { kind: output.type }
  const form = formOf(output)
  return output.type === 'image' ? { kind: 'image', push: output.push, form } : { kind: output.type, form }
}

function formOf({ compression, level }: WireLayerForm): LayerForm {
  return { compression, level: level ?? undefined }
}
