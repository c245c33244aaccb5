import { during, type Digest } from '#base'
import { choosePlatform, hostPlatform } from '#oci/image'
import { parseReference } from '#oci/reference'

import type { AttestedImage } from '../attestations/attest.ts'
import { buildError } from '../errors.ts'
import type { EmitBuildEvent } from '../events.ts'
import type { BlobOf, BlobPlace, BuildPorts, CacheRecord } from '../ports.ts'
import type { BuildRequest } from '../request.ts'
import { annotationsOn, refuseLostAnnotations } from './annotations.ts'
import { document } from './image-documents.ts'
import { imageSet } from './image-set.ts'
import { layoutTar } from './layout-tar.ts'
import type { BuildOutput, LayerForm } from './output.ts'
import { formLayer, putLayer, type FormedLayer } from './put-layer.ts'

export interface Sending {
  readonly ports: BuildPorts
  readonly request: BuildRequest
  readonly images: readonly AttestedImage[]
  readonly outputs: readonly BuildOutput[]
  /** What the build stood on, where images carry it with them. */
  readonly inline: ReadonlyMap<string, CacheRecord> | undefined
}

/** Has the result where it was asked for; gives the id of the image for this machine, or of the first. Errors: `build.output_invalid`, those of the ports. */
export async function sendOutputs(sending: Sending, emit: EmitBuildEvent): Promise<Digest> {
  const main = mainImage(sending.images)
  refuseLost(sending)
  for (const [index, output] of sending.outputs.entries()) {
    switch (output.kind) {
      case 'image':
        await store(sending, main, emit)
        if (output.push !== 'no') await push(sending, output.push, output.form, emit)
        break
      case 'oci':
      case 'docker':
        await sendLayout(sending, index, output.kind, output.form, emit)
        break
      case 'tar':
      case 'local':
        await sendRoot(sending, index, main, emit)
        break
    }
  }
  if (sending.outputs.every(({ kind }) => kind !== 'image')) emit({ kind: 'image', id: main.id })
  return main.id
}

function mainImage(images: readonly AttestedImage[]): AttestedImage {
  const found = choosePlatform(hostPlatform(), images, ({ platform }) => platform) ?? images[0]
  if (found === undefined) throw buildError('build.output_invalid', 'the build made no image')
  return found
}

/** What an output cannot carry is refused before any of them is made. */
function refuseLost({ request, images, outputs, inline }: Sending): void {
  const carriesIndex = (output: BuildOutput) => output.kind === 'oci' || (output.kind === 'image' && output.push !== 'no')
  if (inline !== undefined && !outputs.some(carriesIndex))
    throw buildError('build.output_invalid', 'a cache within the image needs an image that is pushed or written as an OCI layout')
  const hasIndex = images.length > 1 || images.some(({ predicates }) => predicates.length > 0)
  refuseLostAnnotations(request.annotations ?? [], { outputs, hasIndex })
  const single = outputs.find(({ kind }) => ['tar', 'local', 'docker'].includes(kind))
  if (single !== undefined && images.length > 1)
    throw buildError(
      'build.output_invalid',
      `an output of the type ${single.kind} holds one platform, and ${images.length} are built`,
      {
        hint: 'Use type=oci, or push the image.',
      },
    )
  const pushes = outputs.some((output) => output.kind === 'image' && output.push !== 'no')
  if (pushes && (request.tags ?? []).length === 0)
    throw buildError('build.output_invalid', 'an image that is pushed needs a name', { hint: 'Give one with --tag.' })
}

/** This machine keeps one image under a name: the one that it can run. */
async function store({ ports, request, images, outputs }: Sending, main: AttestedImage, emit: EmitBuildEvent): Promise<void> {
  await ports.images.commit(main.config)
  if (main.predicates.length > 0) ports.exchange.attest(main.id, main.predicates)
  emit({ kind: 'image', id: main.id })
  for (const reference of request.tags ?? []) {
    await ports.images.tag(main.id, reference)
    emit({ kind: 'tagged', id: main.id, reference })
  }
  const goesOut = outputs.some((output) => output.kind === 'oci' || (output.kind === 'image' && output.push !== 'no'))
  if (images.length === 1 || goesOut) return
  const place = { file: request.context.dockerfile.name, line: 1 }
  const message = `of ${images.length} platforms the one of this machine is stored; push the image or write it as an OCI layout to have all`
  emit({ kind: 'warning', check: undefined, place, message })
}

/** Layers first, manifests next, the name last: nobody finds a name for something that is not all there. */
async function push(sending: Sending, how: 'tags' | 'digest', form: LayerForm, emit: EmitBuildEvent): Promise<void> {
  const { ports, request } = sending
  for (const reference of request.tags ?? []) {
    emit({ kind: 'moving', what: 'push', place: reference })
    try {
      const credentials = request.credentialsFor?.(reference) ?? null
      await using place = await ports.exchange.registry(reference, { use: 'push', credentials, signal: request.signal })
      const digest = await pushTo(
        sending,
        place,
        form,
        how === 'digest' ? undefined : (parseReference(reference).tag ?? 'latest'),
      )
      emit({ kind: 'moved', what: 'push', place: reference, digest })
    } catch (error) {
      throw during(`push ${reference}`, error)
    }
  }
}

async function pushTo(
  { ports, request, images, inline }: Sending,
  place: BlobPlace,
  form: LayerForm,
  tag: string | undefined,
): Promise<Digest> {
  const layers = new Map<Digest, BlobOf>()
  for (const layer of layersOf(ports, images)) layers.set(layer.diffId, await putLayer(ports, place, layer, form))
  const set = imageSet(images, { layers, names: request.tags ?? [], inline, annotations: request.annotations ?? [] })
  for (const { digest, bytes } of set.blobs) if (!(await place.has(digest))) await place.put(digest, bytes)
  for (const manifest of set.manifests) {
    const name = manifest === set.top ? (tag ?? manifest.digest) : manifest.digest
    await place.putManifest(name, manifest.mediaType, manifest.bytes)
  }
  return set.top.digest
}

async function sendLayout(
  sending: Sending,
  output: number,
  kind: 'oci' | 'docker',
  form: LayerForm,
  emit: EmitBuildEvent,
): Promise<void> {
  const { ports, request, images, inline } = sending
  const names = request.tags ?? []
  emit({ kind: 'moving', what: 'output', place: kind })
  await using open = new AsyncDisposableStack()
  const layers = new Map<Digest, FormedLayer>()
  for (const layer of layersOf(ports, images)) layers.set(layer.diffId, open.use(await formLayer(ports, layer, form)))
  // Docker's format has no place for anything but the image.
  const plain = kind === 'docker' ? images.map((image) => ({ ...image, predicates: [] })) : images
  const set = imageSet(plain, { layers, names, inline, annotations: request.annotations ?? [] })
  const [first] = images
  const docker =
    kind === 'oci' || first === undefined
      ? undefined
      : {
          config: document('', first.configBytes),
          layers: first.config.diffIds.flatMap((diffId) => layers.get(diffId) ?? []),
        }
  await deliver(
    sending,
    output,
    layoutTar(
      set,
      [...layers.values()],
      { names, annotations: annotationsOn(request.annotations ?? [], 'index-descriptor') },
      docker,
    ),
  )
  emit({ kind: 'moved', what: 'output', place: kind, digest: set.top.digest })
}

async function sendRoot(sending: Sending, output: number, image: AttestedImage, emit: EmitBuildEvent): Promise<void> {
  emit({ kind: 'moving', what: 'output', place: 'files' })
  await deliver(sending, output, sending.ports.exchange.rootTar(image.config.diffIds))
  emit({ kind: 'moved', what: 'output', place: 'files', digest: undefined })
}

async function deliver({ request }: Sending, output: number, stream: AsyncIterable<Buffer>): Promise<void> {
  if (request.deliver === undefined)
    throw buildError('build.output_invalid', 'who asked for this build takes no files', { hint: 'Store the image, or push it.' })
  await request.deliver({ output, stream })
}

function layersOf({ exchange }: BuildPorts, images: readonly AttestedImage[]) {
  const all = new Set(images.flatMap(({ config }) => config.diffIds))
  return [...all].map((diffId) => ({ diffId, sizeBytes: exchange.layer(diffId).sizeBytes }))
}
