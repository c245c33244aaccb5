import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError } from '#base'

import { fakeMachine, streamOf, tarOf, type FakeFiles } from './fake-ports.ts'
import { createBuilder, receiveContext } from './index.ts'

/** Of the processor, for one file: a machine that is busy makes none of them longer. */
const MAX_CPU_MS = 5000

async function outcome(dockerfile: string, files: FakeFiles = {}): Promise<string> {
  using machine = fakeMachine()
  await machine.addImage('base', { etc: null })
  const start = process.cpuUsage()
  let code = 'built'
  try {
    await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: dockerfile, ...files })), machine.ports)
    await createBuilder(machine.ports).run({ context }, () => undefined)
  } catch (error) {
    if (!(error instanceof GloveboxError)) throw error
    assert.notEqual(error.kind, 'internal', error.message)
    assert.ok(error.message.length < 4096, `${error.message.length} characters`)
    code = error.code
  }
  const { user, system } = process.cpuUsage(start)
  assert.ok((user + system) / 1000 < MAX_CPU_MS, `${(user + system) / 1000} ms`)
  return code
}

const TREE: FakeFiles = Object.fromEntries(
  Array.from({ length: 200 }, (_, index) => [`${'a'.repeat(40)}/${'a/'.repeat(index % 20)}${'a'.repeat(100)}${index}`, '']),
)

const BOMBS: readonly (readonly [what: string, dockerfile: string, code: string, files?: FakeFiles])[] = [
  ['a hundred thousand instructions', `FROM base\n${'LABEL a=b\n'.repeat(100_000)}`, 'dockerfile.too_large'],
  ['three thousand instructions', `FROM base\n${'ENV a=b\n'.repeat(3000)}`, 'built'],
  ['a hundred thousand stages', 'FROM scratch\n'.repeat(100_000), 'dockerfile.too_large'],
  ['a thousand stages', 'FROM scratch\n'.repeat(1000), 'build.too_many_stages'],
  ['braces a hundred thousand deep', `FROM base\nLABEL a=${'${a:-'.repeat(100_000)}`, 'dockerfile.too_large'],
  [
    'a variable that doubles itself',
    `FROM base\nENV a=${'x'.repeat(1000)}\n${'ENV a=$a$a\n'.repeat(40)}`,
    'dockerfile.too_large',
  ],
  ['a file of five megabytes', `FROM base\nRUN <<EOF\n${'x\n'.repeat(2_500_000)}EOF\n`, 'build.copy_failed'],
  ['a line of four megabytes', `FROM base\nLABEL a=${'"x" '.repeat(900_000)}`, 'dockerfile.invalid'],
  ['a pattern of many stars', `FROM base\nCOPY ${'*a'.repeat(500)}b /x/`, 'build.copy_failed', TREE],
  ['many double stars', `FROM base\nCOPY --parents ${'**/'.repeat(300)}zz /x/`, 'build.copy_failed', TREE],
  [
    'many double stars to ignore',
    'FROM base\nCOPY . /',
    'built',
    { ...TREE, '.dockerignore': `${'**/'.repeat(100)}*a*a*a*zz\n`.repeat(20) },
  ],
  ['too many patterns to ignore', 'FROM base\nCOPY . /', 'pattern.too_long', { '.dockerignore': 'a\n'.repeat(20_000) }],
  ['all ports, again and again', `FROM base\n${'EXPOSE 1-65535\n'.repeat(5)}`, 'built'],
  ['a thousand here-documents in a line', `FROM base\nCOPY ${'<<a '.repeat(1000)}/x/\n${'a\n'.repeat(1000)}`, 'built'],
  [
    'a pattern in a variable',
    `FROM base\nARG a=${'a'.repeat(50_000)}\nLABEL b=\${a//${'*a'.repeat(50)}b/x}`,
    'dockerfile.too_large',
  ],
  ['a mount with many commas', `FROM base\nRUN --mount=type=tmpfs,target=/x${',"'.repeat(50_000)} y`, 'dockerfile.invalid'],
]

for (const [what, dockerfile, code, files] of BOMBS)
  test(`${what}: ${code}, in bounded time`, async () => assert.equal(await outcome(dockerfile, files), code))

test('an image that claims the history of a step gains nothing', async () => {
  using machine = fakeMachine(() => ({ files: { made: 'here' } }))
  await machine.addImage('base', { etc: null })
  const build = async (dockerfile: string) => {
    await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: dockerfile })), machine.ports)
    const { imageId } = await createBuilder(machine.ports).run({ context }, () => undefined)
    return machine.image(imageId)
  }
  const honest = await build('FROM base\nRUN make')
  const poisoned = await machine.addImage('poison', { made: 'by others' })
  await machine.ports.images.commit({ ...honest, diffIds: [...honest.diffIds.slice(0, -1), ...poisoned.config.diffIds] })
  await build('FROM base\nRUN make\nRUN more')
  assert.equal((await machine.files((await build('FROM base\nRUN make')).diffIds))['made'], 'here')
  assert.equal(machine.runs.length, 2)
})

test('a trigger that names a path of the host, and odd JSON, are refused or taken as text', async () => {
  for (const [trigger, code] of [
    ['COPY --from=/etc/passwd / /', /^(?:reference|build)\./],
    ['SHELL "sh"', /^dockerfile\.invalid$/],
    ['SHELL [1]', /^dockerfile\.invalid$/],
    ['HEALTHCHECK ["x"]', /^dockerfile\.invalid$/],
    ['RUN x\nRUN y', /^dockerfile\.invalid$/],
  ] as const) {
    using machine = fakeMachine()
    await machine.addImage('hostile', {}, { onBuild: [trigger] })
    await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: 'FROM hostile' })), machine.ports)
    await assert.rejects(
      createBuilder(machine.ports).run({ context }, () => undefined),
      { code },
      trigger,
    )
  }
})
