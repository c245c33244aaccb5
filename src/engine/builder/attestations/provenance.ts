import { digestHex, isDigest } from '#oci/digest'
import { formatPlatform, hostPlatform, type JsonObject } from '#oci/image'
import { familiarName, parseReference } from '#oci/reference'

import type { BuiltImage } from '../built-image.ts'
import type { Predicate } from '../ports.ts'
import type { BuildRequest } from '../request.ts'
import type { BuildPlan } from '../steps.ts'

/** SLSA, "Provenance", version 1.0. */
const TYPE = 'https://slsa.dev/provenance/v1'
const BUILD_TYPE = 'urn:glovebox:build:dockerfile:v1'
const BUILDER = 'urn:glovebox:builder'

export interface BuildTimes {
  readonly startedMs: number
  readonly finishedMs: number
}

/**
 * How an image was made. `min` tells nothing that an author may want to keep to himself; `max` adds arguments, the Dockerfile and the steps.
 * Secrets are named in neither. With an epoch there is no time in it either, so that the same build says the same.
 */
export function provenance(image: BuiltImage, request: BuildRequest, extent: 'min' | 'max', times: BuildTimes): Predicate {
  const { plan } = image
  const content: JsonObject = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        configSource: { path: request.context.dockerfile.name },
        request: {
          ...(request.target === undefined ? {} : { target: request.target }),
          platform: formatPlatform(image.platform),
          ...(extent === 'max' ? detailsOf(request) : {}),
        },
      },
      internalParameters: {
        builderPlatform: formatPlatform(hostPlatform()),
        ...(extent === 'max' ? { steps: stepsOf(plan) } : {}),
      },
      resolvedDependencies: dependenciesOf(plan),
    },
    runDetails: {
      builder: { id: BUILDER },
      ...(plan.epochS === undefined ? { metadata: metadataOf(times) } : {}),
    },
  }
  return { type: TYPE, content }
}

function detailsOf({ buildArgs, labels, network, context }: BuildRequest): JsonObject {
  return {
    args: Object.fromEntries(buildArgs ?? []),
    labels: { ...labels },
    network: network ?? 'default',
    dockerfile: Buffer.from(context.dockerfile.text).toString('base64'),
  }
}

function stepsOf(plan: BuildPlan) {
  return plan.stages.flatMap(({ name, index, from, steps }) =>
    [from, ...steps].map(({ place, text }) => ({ stage: name ?? String(index), line: place.line, text })),
  )
}

function metadataOf({ startedMs, finishedMs }: BuildTimes): JsonObject {
  return { startedOn: new Date(startedMs).toISOString(), finishedOn: new Date(finishedMs).toISOString() }
}

/** The bases, by the digest that a registry knows them by, or by the image's own where none does. */
function dependenciesOf(plan: BuildPlan) {
  const found = new Map<string, JsonObject>()
  for (const { base, platform } of plan.stages) {
    if (base.kind !== 'image') continue
    const reference = parseReference(base.reference)
    const tag = reference.tag ?? 'latest'
    const uri = `pkg:docker/${familiarName(reference)}@${tag}?platform=${encodeURIComponent(formatPlatform(platform))}`
    const written = reference.digest ?? ''
    const digest = isDigest(written) ? written : (base.image.digests?.[0] ?? base.image.id)
    found.set(uri, { uri, digest: { sha256: digestHex(digest) } })
  }
  return [...found.values()]
}
