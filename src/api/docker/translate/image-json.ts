import type { ImageRecord } from '#engine/images'

import { emptyObjects, healthcheckJson } from './container-json.ts'
import { unixSeconds, ZERO_TIME } from './times.ts'

/** VirtualSize ended with 1.44. */
const LAST_MINOR_WITH_VIRTUAL_SIZE = 43

/**
 * Until 1.49 the configuration was the structure of a container's, whose other fields were never set. Clients of that time read them all.
 */
const LAST_MINOR_WITH_CONTAINER_FIELDS = 49
const CONTAINER_FIELDS = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
}

/** The container that the image was once committed from, and how it was told to be. Old Compose takes the volumes from there, and fails without. */
const LAST_MINOR_WITH_CONTAINER_CONFIG = 44

/** ImageInspect. */
export function imageJson(image: ImageRecord, around: { readonly minor: number; readonly storageDriver: string }) {
  return {
    Id: image.id,
    RepoTags: image.tags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: image.comment,
    Created: image.created,
    ...(around.minor <= LAST_MINOR_WITH_CONTAINER_CONFIG
      ? { Container: '', ContainerConfig: imageConfig(image, around.minor) }
      : {}),
    DockerVersion: '',
    Author: image.author,
    Config: imageConfig(image, around.minor),
    Architecture: image.architecture,
    ...(image.variant === '' ? {} : { Variant: image.variant }),
    Os: image.os,
    Size: image.sizeBytes,
    ...(around.minor <= LAST_MINOR_WITH_VIRTUAL_SIZE ? { VirtualSize: image.sizeBytes } : {}),
    GraphDriver: { Data: {}, Name: around.storageDriver },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: image.lastTaggedAt === '' ? ZERO_TIME : image.lastTaggedAt },
  }
}

function imageConfig({ config }: ImageRecord, minor: number) {
  return {
    ...(minor <= LAST_MINOR_WITH_CONTAINER_FIELDS ? CONTAINER_FIELDS : {}),
    User: config.user,
    ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: emptyObjects(config.exposedPorts) }),
    Env: config.env,
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    Volumes: config.volumes.length === 0 ? null : emptyObjects(config.volumes),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    OnBuild: config.onBuild.length === 0 ? null : config.onBuild,
    ...(config.stopSignal === '' ? {} : { StopSignal: config.stopSignal }),
    ...(config.shell === null ? {} : { Shell: config.shell }),
    ...(config.healthcheck === null ? {} : { Healthcheck: healthcheckJson(config.healthcheck, minor) }),
  }
}

/** ImageSummary. Counts are -1 where they were not asked for. */
export function imageSummary(
  image: ImageRecord,
  around: { readonly minor: number; readonly sharedBytes: number; readonly containers: number },
) {
  return {
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: image.tags.length === 0 && around.minor < 43 ? ['<none>:<none>'] : image.tags,
    RepoDigests:
      image.repoDigests.length === 0 && around.minor < 43 && image.tags.length === 0 ? ['<none>@<none>'] : image.repoDigests,
    Created: unixSeconds(image.created),
    Size: image.sizeBytes,
    ...(around.minor <= LAST_MINOR_WITH_VIRTUAL_SIZE ? { VirtualSize: image.sizeBytes } : {}),
    SharedSize: around.sharedBytes,
    Labels: image.config.labels,
    Containers: around.containers,
  }
}

/** Newest first. Layers have no image ids of their own, which clients know as `<missing>`. */
export function imageHistory(image: ImageRecord) {
  const sizes = image.layers.map((layer) => layer.sizeBytes)
  let layer = 0
  const steps = image.history.map((step) => ({
    Id: '<missing>',
    Created: unixSeconds(step.created),
    CreatedBy: step.createdBy,
    Tags: null as readonly string[] | null,
    Size: step.isEmptyLayer ? 0 : (sizes[layer++] ?? 0),
    Comment: step.comment,
  }))
  const newestFirst = steps.toReversed()
  const [top] = newestFirst
  return top === undefined
    ? []
    : [{ ...top, Id: image.id, Tags: image.tags.length === 0 ? null : image.tags }, ...newestFirst.slice(1)]
}

/** Bytes of those layers that another image has as well. */
export function sharedBytes(image: ImageRecord, all: readonly ImageRecord[]): number {
  const others = new Set(
    all.filter((other) => other.id !== image.id).flatMap((other) => other.layers.map((layer) => layer.diffId)),
  )
  return image.layers.filter((layer) => others.has(layer.diffId)).reduce((sum, layer) => sum + layer.sizeBytes, 0)
}

/** Bytes of all layers, each counted once. */
export function layerBytes(images: readonly ImageRecord[]): number {
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.diffId, layer.sizeBytes] as const)))
  return layers.values().reduce((sum, bytes) => sum + bytes, 0)
}
