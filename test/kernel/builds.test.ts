import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { buildDirectory, readJson, send, type BuildAnswer, type BuildOptions } from '../support/build-client.ts'
import { run, until } from '../support/processes.ts'
import { startRegistry, type RegistryProcess } from './registry-process.ts'
import { type Survivor, survivor } from './survival-fixture.ts'

let here: Survivor
let there: Survivor
let registry: RegistryProcess

before(async () => {
  here = await survivor()
  there = await survivor()
  registry = await startRegistry()
  for (const one of [here, there]) {
    await one.start()
    await one.importImage()
  }
})
after(async () => {
  await registry.stop()
  await here.dispose()
  await there.dispose()
})

interface Built extends BuildAnswer {
  /** sha256 of each output. */
  readonly outputs: readonly string[]
}

async function build(s: Survivor, dockerfile: string, wish: object = {}, options: BuildOptions = {}): Promise<Built> {
  const directory = join(s.directory, 'context')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  const outputs: string[] = []
  const answer = await buildDirectory(
    s.socketPath,
    directory,
    { ...wish },
    {
      ...options,
      onReport: async (report) => {
        await options.onReport?.(report)
        if (report.kind !== 'output-ready') return
        const digest = createHash('sha256')
        for await (const chunk of await send(s.socketPath, 'GET', `/glovebox/v1/builds/outputs?token=${String(report['token'])}`))
          digest.update(chunk as Buffer)
        outputs.push(digest.digest('hex'))
      },
    },
  )
  return { ...answer, outputs }
}

const output = ({ reports }: BuildAnswer) =>
  reports.flatMap((report) => (report.kind === 'output' ? [String(report['text'])] : [])).join('')
const getIndex = async (path: string, tag: string) =>
  await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { accept: 'application/vnd.oci.image.index.v1+json' }
    get(`http://${registry.host}/v2/${path}/manifests/${tag}`, { headers }, resolve).on('error', reject)
  })
const cached = ({ reports }: BuildAnswer) =>
  reports.flatMap((report) => (report.kind === 'step-done' && report['isCached'] === true ? [report['number']] : []))

test('with SOURCE_DATE_EPOCH two fresh machines make the same bytes', { timeout: 60_000 }, async () => {
  const text = `FROM scratch
COPY busybox /
RUN ["/bin/busybox", "sh", "-c", "mkdir -p /made/here && date > /dev/null && echo text > /made/here/file && ln -s file /made/here/link"]
WORKDIR /made/new
CMD ["/bin/busybox"]
`
  const digests: string[] = []
  for (const s of [here, there]) {
    const context = join(s.directory, 'context')
    mkdirSync(context, { recursive: true })
    await run('cp', ['-a', join(s.directory, 'busybox'), context])
    const wish = {
      args: { SOURCE_DATE_EPOCH: '1700000000' },
      outputs: [{ type: 'oci', compression: 'gzip' }, { type: 'docker' }],
      provenance: 'max',
      sbom: true,
    }
    const { outputs, imageId } = await build(s, text, wish)
    digests.push([imageId, ...outputs].join(' '))
    await run('rm', ['-rf', join(context, 'busybox')])
    // The second one in another second.
    await new Promise((resolve) => setTimeout(resolve, 1100))
  }
  assert.equal(digests[0], digests[1])
})

test('a step has no more rights than a container, and less of the processors', { timeout: 60_000 }, async () => {
  const text = `FROM busybox
RUN grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/pids/pids.max
RUN [ "$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" = 67108864 ] && echo bounded
RUN ! mount -t tmpfs none /mnt 2>/dev/null && ! chroot / true 2>/dev/null || echo mounted
`
  const answer = await build(here, text, { limits: { memoryBytes: 64 * 1024 * 1024 } })
  assert.match(output(answer), /CapEff:\s+00000000a80425fb\n/)
  assert.match(output(answer), /Seccomp:\s+2\n/)
  assert.match(output(answer), /\n256\n10000\n/)
  assert.match(output(answer), /bounded/)
})

test('a build whose client goes leaves nothing of itself, whatever it was doing', { timeout: 60_000 }, async () => {
  const blobs = () => readdirSync(join(here.directory, 'root/content/blobs/sha256')).length
  const before_ = blobs()
  for (const command of [
    '(setsid sleep 1000 &) ; sleep 1000',
    'dd if=/dev/zero of=/large bs=1M count=64 2>/dev/null; sleep 1000',
  ]) {
    const gone = new AbortController()
    const text = `FROM busybox\nRUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t ${command}\n`
    const onReport: BuildOptions['onReport'] = ({ kind }) => {
      if (kind === 'step-running') setTimeout(() => gone.abort(), 300)
    }
    await assert.rejects(build(here, text, { usesCache: false }, { signal: gone.signal, onReport }))
    await here.expectNoLeaks()
    await until('the places of builds to be empty', 5000, async () => {
      const left = [...readdirSync(join(here.directory, 'root/tmp')), ...readdirSync(join(here.directory, 'root/containers'))]
      const kept = left.filter((name) => !['registry', 'images'].includes(name))
      if (kept.length > 0) throw new Error(`left: ${kept.join(', ')}`)
      return await Promise.resolve(true)
    })
  }
  assert.equal(blobs(), before_)
})

test('a daemon that is killed in a step comes back clean, and the build can be done', { timeout: 60_000 }, async () => {
  const text = 'FROM busybox\nRUN echo one > /one\nRUN [ -e /cache/go ] || { touch /cache/go; sleep 1000; }\n'
  const held = text.replace('RUN [', 'RUN --mount=type=cache,target=/cache [')
  const killed = build(
    here,
    held,
    {},
    {
      onReport: ({ kind, number }) => {
        if (kind === 'step-running' && number === 3) setTimeout(() => void here.kill(), 300)
      },
    },
  )
  await assert.rejects(killed)
  await here.start()
  await here.expectNoLeaks()
  const answer = await build(here, held)
  assert.deepEqual(cached(answer), [2])
})

test('caches of mounts and contexts are seen, and go when they are told to', { timeout: 60_000 }, async () => {
  await build(here, 'FROM busybox\nRUN --mount=type=cache,target=/kept dd if=/dev/zero of=/kept/file bs=1M count=2 2>/dev/null\n')
  type Entry = { readonly Type: string; readonly Size: number }
  const entries = async () => (await here.api<{ BuildCache: Entry[] }>('GET', '/system/df')).BuildCache
  await until('the size of the cache to be known', 5000, async () =>
    (await entries()).some(({ Type, Size }) => Type === 'exec.cachemount' && Size >= 2 * 1024 * 1024) ? true : undefined,
  )
  const filters = encodeURIComponent(JSON.stringify({ type: ['exec.cachemount'] }))
  const { CachesDeleted, SpaceReclaimed } = await here.api<{ CachesDeleted: string[]; SpaceReclaimed: number }>(
    'POST',
    `/build/prune?filters=${filters}`,
  )
  assert.ok(CachesDeleted.length > 0 && SpaceReclaimed >= 2 * 1024 * 1024)
  assert.deepEqual(readdirSync(join(here.directory, 'root/build-caches')), [])
  await here.api('POST', '/build/prune?all=1')
  assert.deepEqual(await entries(), [])
  assert.deepEqual(readdirSync(join(here.directory, 'root/contexts')), [])
})

test('one machine fills a cache in a registry and another takes from it what it does not do', { timeout: 60_000 }, async () => {
  const text = 'FROM scratch AS tools\nCOPY . /all\nFROM scratch\nCOPY --from=tools /all/Dockerfile /file\n'
  const place = `${registry.host}/team/cache:main`
  const pushed = { tags: [`${registry.host}/team/web:1`], outputs: [{ type: 'image', push: 'tags' }], provenance: 'min' }
  const first = await build(here, text, { ...pushed, cacheTo: [{ type: 'registry', place, mode: 'max' }] })
  const stored = await readJson(await getIndex('team/web', '1'))
  const { manifests } = stored as { readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[] }
  assert.deepEqual(
    manifests.map(({ annotations }) => annotations?.['vnd.docker.reference.type']),
    [undefined, 'attestation-manifest'],
  )
  const second = await build(there, text, { cacheFrom: [{ type: 'registry', place }] })
  assert.deepEqual([cached(second), second.imageId], [[2, 4], first.imageId])
  const index = await readJson(
    await send(here.socketPath, 'GET', `/glovebox/v1/builds/attestations?image=${encodeURIComponent(first.imageId)}`),
  )
  assert.deepEqual(
    (index as readonly { readonly predicateType: string }[]).map(({ predicateType }) => predicateType),
    ['https://slsa.dev/provenance/v1'],
  )
})
