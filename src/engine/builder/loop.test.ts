import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { virtualClock } from '#base'
import { bytesOfText, packTar } from '#oci/tar'

import { fakeMachine, gather, streamOf, tarOf, type FakeFiles, type FakeMachine } from './fake-ports.ts'
import { buildImage, receiveContext, type BuildEvent, type BuildRequest } from './index.ts'

type Options = Omit<Partial<BuildRequest>, 'context'>

async function build(machine: FakeMachine, files: FakeFiles, options: Options = {}) {
  const events: BuildEvent[] = []
  await using context = await receiveContext(streamOf(await tarOf(files)), machine.ports)
  const { imageId } = await buildImage(machine.ports, { context, ...options }, (event) => events.push(event))
  const image = machine.image(imageId)
  const cached = events.flatMap((event) => (event.kind === 'step-done' && event.isCached ? [event.number] : []))
  return { imageId, image, events, cached, files: await machine.files(image.diffIds) }
}

const BASE: FakeFiles = {
  etc: null,
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\nweb:x:101:102::/:/bin/sh\n',
  'etc/group': 'root:x:0:\nstaff:x:50:\n',
  tmp: { type: 'directory', mode: 0o1777 },
  run: null,
  var: null,
  'var/run': { type: 'symlink', linkname: bytesOfText('/run') },
}

const MULTI_STAGE: FakeFiles = {
  Dockerfile: `ARG TAG=1
FROM base:\${TAG} AS deps
WORKDIR /src
COPY package.json ./
RUN install

FROM deps AS build
ARG MODE=release
COPY src ./src
RUN compile $MODE

FROM base:1 AS unused
RUN never

FROM scratch
LABEL name=shop
ENV PORT=80 URL=http://x:$PORT
COPY --from=build /src/out /app
USER web
CMD ["/app/main"]
`,
  'package.json': '{}',
  src: null,
  'src/a.ts': 'a',
  'src/b.ts': 'b',
  'notes.md': 'not copied',
}

function compiler() {
  return fakeMachine(({ args }) => {
    const text = args.at(-1) ?? ''
    if (text.startsWith('compile')) return { files: { src: null, 'src/out': null, 'src/out/main': text }, output: 'compiled\n' }
    return { files: { 'installed.txt': 'yes' } }
  })
}

test('a multi-stage build makes the image that the Dockerfile describes', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE, { env: ['PATH=/bin'] })
  const { image, files, events, imageId } = await build(machine, MULTI_STAGE, { tags: ['shop:1'] })
  assert.deepEqual(files, { app: null, 'app/main': 'compile $MODE' })
  assert.equal(image.config.user, 'web')
  assert.deepEqual(image.config.env, ['PORT=80', 'URL=http://x:'])
  assert.deepEqual(image.config.labels, { name: 'shop' })
  assert.equal(machine.runs.length, 2)
  assert.deepEqual(machine.runs[1]?.args, ['/bin/sh', '-c', 'compile $MODE'])
  assert.deepEqual(machine.runs[1]?.env, ['MODE=release', 'PATH=/bin'])
  assert.equal(machine.runs[1]?.workingDir, '/src')
  assert.equal(machine.tags.get('shop:1'), imageId)
  assert.equal(image.history.filter((entry) => !entry.isEmptyLayer).length, image.diffIds.length)
  assert.ok(events.some((event) => event.kind === 'output' && event.chunk.toString() === 'compiled\n'))
})

test('a second build runs nothing and gives the same image', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE)
  const first = await build(machine, MULTI_STAGE)
  const ran = machine.runs.length
  const again = await build(machine, MULTI_STAGE)
  assert.equal(machine.runs.length, ran)
  assert.equal(again.imageId, first.imageId)
  assert.deepEqual(again.cached, [2, 3, 4, 7, 8, 12])
})

test('a changed file runs again exactly the steps after its COPY', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE)
  await build(machine, MULTI_STAGE)
  const after = await build(machine, { ...MULTI_STAGE, 'src/a.ts': 'changed' })
  assert.deepEqual(
    machine.runs.slice(2).map((run) => run.args.at(-1)),
    ['compile $MODE'],
  )
  assert.deepEqual(after.cached, [2, 3, 4, 12])
  const untouched = await build(machine, { ...MULTI_STAGE, 'src/a.ts': 'changed', 'notes.md': 'changed too' })
  assert.equal(untouched.imageId, after.imageId)
})

test('times of files do not matter to the cache', async () => {
  using machine = fakeMachine()
  const files = (mtimeS: number): FakeFiles => ({ Dockerfile: 'FROM scratch\nCOPY a /', a: { size: 0, mtimeS } })
  await build(machine, files(1))
  assert.deepEqual((await build(machine, files(2))).cached, [2])
})

test('build arguments reach RUN, ENV hides them, and a change runs the step again', async () => {
  using machine = fakeMachine(() => ({ files: { done: '' } }))
  await machine.addImage('base', BASE)
  const files = { Dockerfile: 'FROM base\nARG A=1 B\nENV B=env\nRUN x' }
  await build(machine, files, {
    buildArgs: new Map([
      ['B', 'arg'],
      ['HTTP_PROXY', 'http://secret'],
    ]),
  })
  assert.deepEqual(machine.runs[0]?.env.slice(0, 2), ['A=1', 'B=env'])
  assert.ok(machine.runs[0]?.env.includes('HTTP_PROXY=http://secret'))
  const other = await build(machine, files, { buildArgs: new Map([['HTTP_PROXY', 'http://other']]) })
  assert.equal(machine.runs.length, 1)
  assert.ok(!JSON.stringify(other.image).includes('secret'))
  await build(machine, files, { buildArgs: new Map([['A', '2']]) })
  assert.equal(machine.runs.length, 2)
})

test('without the cache every step runs again', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE)
  await build(machine, MULTI_STAGE)
  assert.deepEqual((await build(machine, MULTI_STAGE, { isCacheUsed: false })).cached, [])
  assert.equal(machine.runs.length, 4)
})

test('a cached step whose layer was removed runs again', async () => {
  using machine = fakeMachine(() => ({ files: { done: 'x' } }))
  await machine.addImage('base', BASE)
  const { image } = await build(machine, { Dockerfile: 'FROM base\nRUN x' })
  machine.removeLayer(image.diffIds[1] ?? assert.fail())
  await build(machine, { Dockerfile: 'FROM base\nRUN x' })
  assert.equal(machine.runs.length, 2)
})

test('two builds at once do a common step once', async () => {
  using machine = fakeMachine(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return { files: { done: 'x' } }
  })
  await machine.addImage('base', BASE)
  const files = { Dockerfile: 'FROM base\nRUN x' }
  const [one, two] = await Promise.all([build(machine, files), build(machine, files)])
  assert.equal(machine.runs.length, 1)
  assert.deepEqual(one.image.diffIds, two.image.diffIds)
})

test('a command that fails ends the build with its line and exit code, and caches nothing', async () => {
  using machine = fakeMachine(() => ({ exitCode: 7 }))
  await machine.addImage('base', BASE)
  const files = { Dockerfile: 'FROM base\nENV a=b\nRUN false' }
  const failure = {
    code: 'build.run_failed',
    message: "Dockerfile:3: The command '/bin/sh -c false' returned a non-zero code: 7",
  }
  await assert.rejects(build(machine, files), failure)
  assert.deepEqual(machine.ports.cache.list(), [])
})

test('a RUN that changes nothing makes no layer', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const { image } = await build(machine, { Dockerfile: 'FROM base\nRUN true' })
  assert.equal(image.diffIds.length, 1)
  assert.equal(image.history.at(-1)?.isEmptyLayer, true)
})

test('with SOURCE_DATE_EPOCH equal inputs give equal images on different days', async () => {
  const ids = await Promise.all(
    [1_700_000_000_000, 1_800_000_000_000].map(async (nowMs) => {
      using machine = fakeMachine(
        () => ({ files: { out: { type: 'file', size: 0, mtimeS: nowMs / 1000 } } }),
        virtualClock(nowMs),
      )
      await machine.addImage('base', BASE)
      const files: FakeFiles = {
        Dockerfile: 'FROM base\nWORKDIR /w\nRUN x\nCOPY a /b/\nLABEL z=1',
        a: { size: 0, mtimeS: nowMs / 1000 },
      }
      const { imageId, image } = await build(machine, files, { buildArgs: new Map([['SOURCE_DATE_EPOCH', '1600000000']]) })
      assert.equal(image.created, '2020-09-13T12:26:40.000Z')
      return imageId
    }),
  )
  assert.equal(ids[0], ids[1])
})

test('COPY follows the rules of its destination', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const files: FakeFiles = {
    Dockerfile: [
      'FROM base',
      'WORKDIR /w',
      'COPY a new',
      'COPY a into/',
      'COPY a etc /var/run/',
      'COPY a /tmp',
      'COPY ../../a /clipped',
      'COPY *.txt t/',
      'COPY etc /etc',
      'COPY link /followed',
      'COPY <<one <<"two" /h/',
      'x=$HOME_DIR "q"',
      'one',
      '$y',
      'two',
    ].join('\n'),
    a: 'A',
    etc: null,
    'etc/deep': null,
    'etc/deep/f': 'F',
    '1.txt': '1',
    '2.txt': '2',
    link: { type: 'symlink', linkname: bytesOfText('../../etc/deep/f') },
  }
  const { files: found, image } = await build(machine, files)
  const added = Object.fromEntries(Object.entries(found).filter(([path, content]) => content !== null && !(path in BASE)))
  assert.deepEqual(added, {
    'w/new': 'A',
    'w/into/a': 'A',
    'run/a': 'A',
    'run/deep/f': 'F',
    'tmp/a': 'A',
    clipped: 'A',
    'w/t/1.txt': '1',
    'w/t/2.txt': '2',
    'etc/deep/f': 'F',
    followed: 'F',
    'h/one': 'x= "q"\n',
    'h/two': '$y\n',
  })
  assert.equal((await machine.entry(image.diffIds, 'tmp'))?.mode, 0o1777)
  assert.equal(found['var/run'], '-> /run')
})

test('COPY sets owners and modes', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const dockerfile = [
    'FROM base',
    'COPY --chown=web --chmod=u=rwX,go=rX d /one/',
    'COPY --chown=7 a /two',
    'COPY --chown=web:staff --chmod=4750 a /three/four',
    'COPY a /five',
  ]
  const files: FakeFiles = { Dockerfile: dockerfile.join('\n'), a: 'A', d: null, 'd/f': { size: 0, mode: 0o700, uid: 9 } }
  const { image } = await build(machine, files)
  const at = async (path: string) => {
    const entry = await machine.entry(image.diffIds, path)
    return [entry?.uid, entry?.gid, entry?.mode.toString(8)]
  }
  assert.deepEqual(await at('one/f'), [101, 102, '755'])
  assert.deepEqual(await at('two'), [7, 7, '644'])
  assert.deepEqual(await at('three/four'), [101, 50, '4750'])
  assert.deepEqual(await at('three'), [101, 50, '755'])
  assert.deepEqual(await at('five'), [0, 0, '644'])
  await assert.rejects(build(machine, { Dockerfile: 'FROM base\nCOPY --chown=nobody2 a /', a: '' }), {
    code: 'build.owner_unknown',
  })
  await assert.rejects(build(machine, { Dockerfile: 'FROM base\nCOPY --chown=4294967295 a /', a: '' }), {
    code: 'build.owner_unknown',
  })
})

test('what COPY cannot do is refused at its line', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', { ...BASE, 'file.txt': 'x', lib: { type: 'symlink', linkname: bytesOfText('run') } })
  const cases: readonly (readonly [line: string, code: string])[] = [
    ['COPY missing /', 'build.copy_failed'],
    ['COPY *.none /', 'build.copy_failed'],
    ['COPY a b /dest', 'build.instruction_invalid'],
    ['COPY [ab] /dest', 'build.copy_failed'],
    ['COPY a /file.txt/', 'build.copy_failed'],
    ['COPY a /file.txt/x', 'build.copy_failed'],
    ['COPY d /file.txt', 'build.copy_failed'],
    ['COPY root /', 'build.copy_failed'],
    ['COPY --from=later a /', 'build.base_not_found'],
    ['COPY --from=9 a /', 'build.stage_not_found'],
    ['COPY --from=0 a /', 'build.stage_not_found'],
    ['COPY --from=$x a /', 'build.instruction_invalid'],
    ['COPY --parents none/x /', 'build.copy_failed'],
    ['COPY --chmod=rwx a /', 'build.instruction_invalid'],
    ['ADD http://x/y /', 'build.remote_failed'],
    ['ADD git://github.com/a/b.git /', 'build.unsupported'],
    ['ADD --checksum=sha256:1 a /', 'build.instruction_invalid'],
    ['COPY http://x/y /', 'build.instruction_invalid'],
    ['RUN --mount=type=secret,id=x,required y', 'build.secret_missing'],
    ['RUN --mount=type=ssh,required=true y', 'build.ssh_missing'],
    ['RUN --mount=type=secret y', 'build.instruction_invalid'],
    ['RUN --mount=type=bind,source=missing,target=/x y', 'build.copy_failed'],
    ['RUN --mount=type=bind,source=../../etc,target=/x y', 'build.copy_failed'],
    ['RUN --mount=type=bind,from=missing,target=/x y', 'build.base_not_found'],
    ['RUN --mount=type=bind y', 'build.instruction_invalid'],
    ['RUN --mount=type=cache,target=/x,sharing=mine y', 'build.instruction_invalid'],
    ['RUN --security=insecure y', 'build.not_allowed'],
    ['RUN --network=host y', 'build.not_allowed'],
    ['RUN --device=x y', 'build.unsupported'],
    ['EXPOSE 99999', 'build.instruction_invalid'],
    ['STOPSIGNAL now', 'build.instruction_invalid'],
    ['FROM missing', 'build.base_not_found'],
  ]
  for (const [line, code] of cases) {
    const files: FakeFiles = { Dockerfile: `FROM base\n${line}`, a: '', b: '', d: null, root: null, 'root/lib': null }
    await assert.rejects(build(machine, files), { code, message: /^Dockerfile:2: / }, line)
  }
})

test('a context cannot reach out of itself', async () => {
  using machine = fakeMachine()
  const out = { type: 'symlink' as const, linkname: bytesOfText('/etc/passwd') }
  await assert.rejects(build(machine, { Dockerfile: 'FROM scratch\nCOPY out /x', out }), { code: 'build.copy_failed' })
  await assert.rejects(build(machine, { Dockerfile: 'FROM scratch', out, 'out/x': 'y' }), { code: 'build.context_invalid' })
  await assert.rejects(
    build(machine, { Dockerfile: 'FROM scratch', l: { type: 'hardlink', linkname: bytesOfText('etc/shadow') } }),
    {
      code: 'build.context_invalid',
    },
  )
  await assert.rejects(
    build(machine, { Dockerfile: 'FROM scratch\nCOPY loop /x', loop: { type: 'symlink', linkname: bytesOfText('loop') } }),
    {
      code: 'build.copy_failed',
    },
  )
})

test('ADD unpacks archives by content, COPY does not', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const inner = await tarOf({
    top: null,
    'top/f': 'F',
    'var/run/pid': '1',
    l: { type: 'symlink', linkname: bytesOfText('top/f') },
  })
  const bodies: Record<string, Buffer> = {
    'a.tar': inner,
    'b.bin': gzipSync(inner),
    'c.zst': zstdCompressSync(inner),
    'd.gz': gzipSync('text'),
  }
  const files = {
    Dockerfile:
      'FROM base\nADD a.tar /a/\nADD b.bin /b\nADD c.zst /c/\nADD d.gz /d/\nCOPY b.bin /e/\nADD --unpack=false a.tar /f/\nADD a.tar /',
  }
  const members = Object.entries(bodies).map(([name, body]) => ({
    entry: { path: bytesOfText(name), type: 'file' as const, size: body.length },
    body: [body],
  }))
  const context = Buffer.concat([(await tarOf(files)).subarray(0, -1024), await gather(packTar(members))])
  await using received = await receiveContext(streamOf(gzipSync(context)), machine.ports)
  const { imageId } = await buildImage(machine.ports, { context: received }, () => undefined)
  const found = await machine.files(machine.image(imageId).diffIds)
  for (const directory of ['a', 'b', 'c']) assert.equal(found[`${directory}/top/f`], 'F', directory)
  assert.equal(found['c/l'], '-> top/f')
  assert.equal(found['run/pid'], '1')
  assert.equal(found['var/run'], '-> /run')
  assert.ok('d/d.gz' in found && 'e/b.bin' in found && 'f/a.tar' in found)
})

test('triggers of a base fire once', async () => {
  using machine = fakeMachine(() => ({ files: { ran: '' } }))
  await machine.addImage('base', BASE, { onBuild: ['COPY . /app', 'RUN make'] })
  await machine.addImage('other', BASE)
  const files = { Dockerfile: 'FROM base\nCMD x', 'main.c': 'int' }
  const { files: found, image, events } = await build(machine, files)
  assert.equal(found['app/main.c'], 'int')
  assert.deepEqual(image.config.onBuild, [])
  assert.equal(events.filter((event) => event.kind === 'step-started').length, 4)
})

test('the ignore file hides files from COPY, and the Dockerfile can still be read', async () => {
  using machine = fakeMachine()
  const files = { Dockerfile: 'FROM scratch\nCOPY . /', '.dockerignore': '*\n!keep\n', keep: 'k', drop: 'd' }
  assert.deepEqual((await build(machine, files)).files, { keep: 'k' })
})

test('here-documents of RUN become scripts', async () => {
  using machine = fakeMachine(() => ({ files: { a: '' } }))
  await machine.addImage('base', BASE)
  const text =
    'FROM base\nSHELL ["/bin/bash", "-c"]\nRUN <<E\none\ntwo\nE\nRUN <<E\n#!/bin/python\nx\nE\nRUN cat <<E >/f\n$y\nE\n'
  await build(machine, { Dockerfile: text })
  assert.deepEqual(machine.runs[0]?.args, ['/bin/bash', '-c', 'one\ntwo\n'])
  assert.match(machine.runs[1]?.args[0] ?? '', /^\/dev\/build-script-/)
  const [mount] = machine.runs[1]?.mounts ?? []
  assert.equal(mount?.kind === 'file' ? mount.content.toString() : '', '#!/bin/python\nx\n')
  assert.deepEqual(machine.runs[2]?.args, ['/bin/bash', '-c', 'cat <<E >/f\n$y\nE'])
})

test('a target builds no stage that it does not need', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE)
  const { image } = await build(machine, MULTI_STAGE, { target: 'DEPS', labels: { by: 'me' } })
  assert.equal(machine.runs.length, 1)
  assert.deepEqual(image.config.labels, { by: 'me' })
  await assert.rejects(build(machine, MULTI_STAGE, { target: 'nope' }), { code: 'build.stage_not_found' })
})

test('a linked COPY is cached whatever is below it', async () => {
  using machine = fakeMachine()
  await machine.addImage('one', BASE)
  await machine.addImage('two', { ...BASE, more: 'x' })
  await build(machine, { Dockerfile: 'FROM one\nCOPY --link a /d/', a: 'A' })
  assert.deepEqual((await build(machine, { Dockerfile: 'FROM two\nCOPY --link a /d/', a: 'A' })).cached, [2])
})

test('a build that is cancelled stops before the next step', async () => {
  using machine = compiler()
  await machine.addImage('base:1', BASE)
  await assert.rejects(build(machine, MULTI_STAGE, { signal: AbortSignal.abort() }), { code: 'operation.cancelled' })
  assert.equal(machine.runs.length, 0)
})

test('stages that do not need each other run side by side', async () => {
  const together = Promise.withResolvers<void>()
  let running = 0
  using machine = fakeMachine(async ({ args }) => {
    running += 1
    if (running === 2) together.resolve()
    await together.promise
    return { files: { [args.at(-1) ?? '']: 'done' } }
  })
  await machine.addImage('base', BASE)
  const Dockerfile = 'FROM base AS a\nRUN one\nFROM base AS b\nRUN two\nFROM scratch\nCOPY --from=a /one /\nCOPY --from=b /two /'
  const { files } = await build(machine, { Dockerfile })
  assert.deepEqual(files, { one: 'done', two: 'done' })
})

test('the first failure of a stage stops the others, and is what the build ends with', async () => {
  let stopped = 0
  using machine = fakeMachine(async ({ args, signal }) => {
    if (args.at(-1) === 'fails') return { exitCode: 3 }
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    stopped += 1
    return { exitCode: 137 }
  })
  await machine.addImage('base', BASE)
  const Dockerfile = 'FROM base AS a\nRUN waits\nFROM base AS b\nRUN fails\nFROM scratch\nCOPY --from=a / /\nCOPY --from=b / /'
  await assert.rejects(build(machine, { Dockerfile }), {
    code: 'build.run_failed',
    message: /'.*fails' returned a non-zero code: 3/,
  })
  assert.equal(stopped, 1)
})

test('excluded files stay out of a copy, by their path below the source', async () => {
  using machine = fakeMachine()
  const tree: FakeFiles = {
    d: null,
    'd/a.txt': 'a',
    'd/b.md': 'b',
    'd/e': null,
    'd/e/c.txt': 'c',
    'd/e/d.md': 'd',
    'top.txt': 't',
    'top.md': 'm',
  }
  const copied = async (line: string) => (await build(machine, { Dockerfile: `FROM scratch\n${line}`, ...tree })).files
  assert.deepEqual(await copied('COPY --exclude=*.txt d /x/'), {
    x: null,
    'x/b.md': 'b',
    'x/e': null,
    'x/e/c.txt': 'c',
    'x/e/d.md': 'd',
  })
  assert.deepEqual(await copied('COPY --exclude=**/*.txt --exclude=b.md d /x/'), { x: null, 'x/e': null, 'x/e/d.md': 'd' })
  assert.deepEqual(await copied('COPY --exclude=*.txt top.* /x/'), { x: null, 'x/top.md': 'm' })
})

test('with --parents the directories above come along, from the root or from /./ on', async () => {
  using machine = fakeMachine()
  const tree: FakeFiles = { a: null, 'a/b': null, 'a/b/x.txt': '1', 'a/b/y.md': '2', c: null, 'c/x.txt': '3' }
  const copied = async (line: string) => (await build(machine, { Dockerfile: `FROM scratch\n${line}`, ...tree })).files
  assert.deepEqual(await copied('COPY --parents ./a/b/x.txt ./c/x.txt /p/'), {
    p: null,
    'p/a': null,
    'p/a/b': null,
    'p/a/b/x.txt': '1',
    'p/c': null,
    'p/c/x.txt': '3',
  })
  assert.deepEqual(await copied('COPY --parents a/./b/*.md /p/'), { p: null, 'p/b': null, 'p/b/y.md': '2' })
  assert.deepEqual(await copied('COPY --parents --exclude=c **/x.txt /p/'), {
    p: null,
    'p/a': null,
    'p/a/b': null,
    'p/a/b/x.txt': '1',
  })
})

/** The mounts that a RUN step got, and its variables that no stage has. */
async function mountsOf(line: string, options: Options = {}) {
  using machine = fakeMachine()
  await machine.addImage('base', {
    ...BASE,
    opt: null,
    'opt/tool': 'x',
    link: { type: 'symlink', linkname: bytesOfText('/opt') },
  })
  const Dockerfile = `FROM base AS made\nCOPY src/a /made/a\nFROM base\nWORKDIR /w\n${line}`
  await build(machine, { Dockerfile, src: null, 'src/a': '1' }, options)
  const run = machine.runs.at(-1)
  return { mounts: run?.mounts ?? [], env: run?.env.filter((one) => !one.startsWith('PATH=')) ?? [], machine }
}

test('a bind mount shows the context, a stage or an image, with links followed inside it', async () => {
  const one = async (line: string) => {
    const [mount] = (await mountsOf(line)).mounts
    return mount?.kind === 'tree' ? { ...mount, layers: mount.layers.length } : mount
  }
  const shared = { kind: 'tree', isWritable: false, layers: 1 }
  assert.deepEqual(await one('RUN --mount=target=. x'), { ...shared, target: '/w', path: '' })
  assert.deepEqual(await one('RUN --mount=source=src/a,target=/a,rw x'), {
    ...shared,
    target: '/a',
    path: 'file',
    isWritable: true,
  })
  assert.deepEqual(await one('RUN --mount=from=base,source=link/tool,target=t x'), {
    ...shared,
    target: '/w/t',
    path: 'opt/tool',
  })
  assert.deepEqual(await one('RUN --mount=from=made,source=/made,target=/m x'), {
    ...shared,
    layers: 2,
    target: '/m',
    path: 'made',
  })
})

test('a secret reaches the command, and neither key nor history nor image', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const files: FakeFiles = {
    Dockerfile:
      'FROM base\nRUN --mount=type=secret,id=token,env=TOKEN --mount=type=secret,id=file,uid=7 --mount=type=secret,id=none x',
  }
  const secrets = new Map([
    ['token', Buffer.from('hunter2')],
    ['file', Buffer.from('hunter3')],
  ])
  const { image } = await build(machine, files, { secrets })
  assert.deepEqual(machine.runs[0]?.mounts, [
    { kind: 'file', target: '/run/secrets/file', content: Buffer.from('hunter3'), mode: 0o400, uid: 7, gid: 0, isSecret: true },
  ])
  assert.ok(machine.runs[0]?.env.includes('TOKEN=hunter2'))
  assert.doesNotMatch(JSON.stringify([image, machine.ports.cache.list()]), /hunter/)
  const again = await build(machine, files, { secrets: new Map([['token', Buffer.from('other')]]) })
  assert.deepEqual([again.cached, machine.runs.length], [[2], 1])
})

test('a changed file that a mount shows makes the step run again, and no other does', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const files: FakeFiles = { Dockerfile: 'FROM base\nRUN --mount=source=src,target=/src x', src: null, 'src/a': '1', other: '1' }
  await build(machine, files)
  await build(machine, { ...files, other: '2' })
  assert.equal(machine.runs.length, 1)
  await build(machine, { ...files, 'src/a': '2' })
  assert.equal(machine.runs.length, 2)
})

test('what a build may do beyond a container is said by whoever starts it', async () => {
  using machine = fakeMachine()
  await machine.addImage('base', BASE)
  const entitlements = new Set(['security.insecure', 'network.host'] as const)
  await build(machine, { Dockerfile: 'FROM base\nRUN --security=insecure --network=host x' }, { entitlements })
  assert.deepEqual([machine.runs[0]?.isInsecure, machine.runs[0]?.network], [true, 'host'])
})
