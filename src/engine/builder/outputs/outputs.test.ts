import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

import { digestOf } from '#oci/digest'
import { hostPlatform, parseManifest, parsePlatform, type ImageIndex, type ImageManifest } from '#oci/image'
import { tarPushScanner, type TarEntry } from '#oci/tar'

import { fakeMachine, gather, streamOf, tarOf, type FakeFiles, type FakeMachine } from '../fake-ports.ts'
import { buildImage, receiveContext, type BuildEvent, type BuildRequest } from '../index.ts'
import { GZIP } from './output.ts'

const FILES: FakeFiles = {
  Dockerfile: `FROM --platform=$BUILDPLATFORM base AS build
ARG TARGETARCH
RUN compile $TARGETARCH
FROM scratch
COPY --from=build /out /app
CMD ["/app"]
`,
}

/** dpkg's database as it is in an image. */
const STATUS = `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <libc@example.org>
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u10
Description: GNU C Library
 Several lines: of it

Package: gone
Status: deinstall ok config-files
Version: 1

`

async function machine(): Promise<FakeMachine> {
  const made = fakeMachine((spec) => ({ files: { out: `for ${spec.env.find((one) => one.startsWith('TARGETARCH='))}` } }))
  await made.addImage('base', { etc: null, 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n', 'var/lib/dpkg/status': STATUS })
  return made
}

async function build(at: FakeMachine, files: FakeFiles, options: Omit<Partial<BuildRequest>, 'context'>) {
  const events: BuildEvent[] = []
  const delivered: Buffer[] = []
  await using context = await receiveContext(streamOf(await tarOf(files)), at.ports)
  const deliver: BuildRequest['deliver'] = async ({ stream }) => void delivered.push(await gather(stream))
  const { imageId } = await buildImage(at.ports, { context, deliver, ...options }, (event) => events.push(event))
  return { imageId, events, delivered }
}

function filesOf(tar: Buffer): ReadonlyMap<string, Buffer> {
  const entries: TarEntry[] = []
  tarPushScanner((entry) => entries.push(entry)).push(tar)
  return new Map(entries.map((entry) => [entry.path, tar.subarray(entry.dataOffset, entry.dataOffset + entry.size)]))
}

function blob(files: ReadonlyMap<string, Buffer>, digest: string): Buffer {
  const found = files.get(`blobs/sha256/${digest.slice(7)}`)
  assert.ok(found !== undefined, digest)
  assert.equal(digestOf(found), digest)
  return found
}

function read(files: ReadonlyMap<string, Buffer>, digest: string): ImageManifest | ImageIndex {
  return parseManifest(blob(files, digest), null, digest)
}

const TWO = [hostPlatform(), parsePlatform('linux/riscv64')]

test('several platforms become one index, whose stages for this machine run once each', async () => {
  using at = await machine()
  const { delivered, events } = await build(at, FILES, {
    platforms: TWO,
    tags: ['web:1'],
    outputs: [{ kind: 'oci', form: GZIP }],
  })
  const files = filesOf(delivered[0] ?? Buffer.alloc(0))
  const layout = JSON.parse(files.get('index.json')?.toString() ?? '') as { manifests: { digest: string; annotations: object }[] }
  const [top] = layout.manifests
  assert.deepEqual(top?.annotations, {
    'io.containerd.image.name': 'docker.io/library/web:1',
    'org.opencontainers.image.ref.name': '1',
  })
  const index = read(files, top?.digest ?? '')
  assert.ok(index.kind === 'index')
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform?.architecture),
    TWO.map(({ architecture }) => architecture),
  )
  for (const entry of index.manifests) {
    const manifest = read(files, entry.digest.text)
    assert.ok(manifest.kind === 'manifest')
    const [layer] = manifest.layers
    const text = gunzipSync(blob(files, layer?.digest.text ?? '')).toString()
    assert.ok(text.includes(`for TARGETARCH=${entry.platform?.architecture}`))
  }
  const planned = events.find((event) => event.kind === 'planned')
  const numbers = events.flatMap((event) => (event.kind === 'step-done' ? [event.number] : []))
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: planned?.stepCount ?? 0 }, (_, at_) => at_ + 1),
  )
})

test('RUN for a processor that this machine does not have is refused before anything runs', async () => {
  using at = await machine()
  const files = { Dockerfile: 'FROM --platform=linux/riscv64 scratch\nRUN ["/x"]\n' }
  await assert.rejects(build(at, files, {}), { code: 'build.platform_foreign', hint: /qemu-user-static/ })
  assert.deepEqual(at.runs, [])
})

test('what is in an image and how it was made stands beside it in the index, and says so of its manifest', async () => {
  using at = await machine()
  const files = { Dockerfile: 'FROM base\nARG TOKEN\nRUN make\n' }
  const { delivered, imageId } = await build(at, files, {
    tags: ['web'],
    provenance: 'min',
    hasSbom: true,
    buildArgs: new Map([['TOKEN', 'not to be told']]),
    outputs: [
      { kind: 'oci', form: { compression: 'zstd', level: 3 } },
      { kind: 'image', push: 'no', form: GZIP },
    ],
  })
  const layout = filesOf(delivered[0] ?? Buffer.alloc(0))
  const top = JSON.parse(layout.get('index.json')?.toString() ?? '') as { manifests: { digest: string }[] }
  const index = read(layout, top.manifests[0]?.digest ?? '')
  assert.ok(index.kind === 'index')
  const [image, said] = index.manifests
  assert.deepEqual(said?.annotations, {
    'vnd.docker.reference.digest': image?.digest.text,
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  const manifest = read(layout, said?.digest.text ?? '')
  assert.ok(manifest.kind === 'manifest')
  const statements = manifest.layers.map(({ digest }) => JSON.parse(blob(layout, digest.text).toString()))
  const [sbom, made] = statements as [{ subject: { digest: object }[]; predicate: { packages: object[] } }, { predicate: object }]
  assert.deepEqual(sbom.subject[0]?.digest, { sha256: image?.digest.text.slice(7) })
  const packages = sbom.predicate.packages as {
    name: string
    versionInfo?: string
    externalRefs?: { referenceLocator: string }[]
  }[]
  assert.deepEqual(
    packages.slice(1).map((one) => [one.name, one.versionInfo, one.externalRefs?.[0]?.referenceLocator]),
    [['libc6', '2.36-9+deb12u10', 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12']],
  )
  assert.ok(JSON.stringify(made.predicate).includes('pkg:docker/base@latest'))
  assert.ok(!JSON.stringify(statements).includes('not to be told'))
  assert.deepEqual(
    at.exchange.said.get(imageId)?.map(({ type }) => type),
    ['https://spdx.dev/Document', 'https://slsa.dev/provenance/v1'],
  )
  const config = read(layout, image?.digest.text ?? '')
  assert.ok(config.kind === 'manifest')
  assert.ok(config.layers.every(({ digest }) => zstdDecompressSync(blob(layout, digest.text)).length > 0))
})

test('with an epoch two machines say the same, whenever they do', async () => {
  const digests: string[] = []
  for (const _ of [1, 2]) {
    using at = await machine()
    const { delivered } = await build(
      at,
      { Dockerfile: 'FROM base\nRUN make\n' },
      {
        buildArgs: new Map([['SOURCE_DATE_EPOCH', '1700000000']]),
        provenance: 'max',
        hasSbom: true,
        outputs: [{ kind: 'oci', form: GZIP }],
      },
    )
    digests.push(digestOf(delivered[0] ?? Buffer.alloc(0)))
  }
  assert.equal(digests[0], digests[1])
})

test('what an output cannot carry is refused by name', async () => {
  using at = await machine()
  const cases: readonly (readonly [Omit<Partial<BuildRequest>, 'context'>, RegExp])[] = [
    [{ platforms: TWO, outputs: [{ kind: 'docker', form: GZIP }] }, /type docker holds one platform, and 2/],
    [{ outputs: [{ kind: 'image', push: 'tags', form: GZIP }] }, /needs a name/],
    [{ cacheTo: [{ kind: 'inline' }] }, /cache within the image needs an image that is pushed/],
  ]
  for (const [options, message] of cases)
    await assert.rejects(build(at, FILES, options), { code: 'build.output_invalid', message })
})

test('a pushed image has its name last, and without one when it is pushed by digest', async () => {
  using at = await machine()
  const outputs = (push: 'tags' | 'digest') => [{ kind: 'image', push, form: GZIP }] as const
  const byDigest = await build(at, FILES, { tags: ['host:5000/web:2'], outputs: outputs('digest') })
  const moved = byDigest.events.find((event) => event.kind === 'moved')
  assert.deepEqual([...(at.exchange.names.get('host:5000/web')?.keys() ?? [])], [])
  assert.ok(at.exchange.blobs.get('host:5000/web')?.has(moved?.digest ?? ''))
  await build(at, FILES, { tags: ['host:5000/web:2'], outputs: outputs('tags') })
  assert.equal(at.exchange.names.get('host:5000/web')?.get('2')?.digest, moved?.digest)
})
