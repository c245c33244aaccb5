import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError } from '#base'

import { createBuilder, type ClassicBuildRequest } from './builder.ts'
import { classicMessages, type ClassicMessage } from './classic-stream.ts'
import { fakeMachine, streamOf, tarOf, type FakeFiles } from './fake-ports.ts'
import { messageQueue } from './message-queue.ts'

const REQUEST: ClassicBuildRequest = {
  tags: ['web:1'],
  remote: '',
  dockerfile: 'Dockerfile',
  buildArgs: { A: null, B: '1' },
  labels: {},
  target: '',
  isCacheOff: false,
  cacheFrom: [],
  credentialsFor: () => null,
  shouldPull: false,
  isQuiet: false,
  networkMode: 'default',
  extraHosts: [],
  limits: {
    memoryBytes: 1e9,
    memorySwapBytes: null,
    cpuShares: null,
    cpuPeriodUs: null,
    cpuQuotaUs: null,
    cpusetCpus: '0',
    cpusetMems: '',
    cgroupParent: '',
    ulimits: [],
    shmBytes: null,
  },
  platform: '',
}

const FILES: FakeFiles = { Dockerfile: 'FROM base\nARG B\nRUN make\nCMD ["x"]\n' }

async function machineWithBase(command?: Parameters<typeof fakeMachine>[0]) {
  const machine = fakeMachine(command)
  await machine.addImage('base', { etc: null })
  const builder = createBuilder(machine.ports)
  const build = async (request: ClassicBuildRequest = REQUEST, files = FILES, signal = new AbortController().signal) => {
    const messages: ClassicMessage[] = []
    for await (const message of builder.build(request, streamOf(await tarOf(files)), signal)) messages.push(message)
    return messages
  }
  return { machine, builder, build }
}

const streams = (messages: readonly ClassicMessage[]) =>
  messages.map((message) => ('stream' in message ? message.stream : '')).join('')

test('the classic answer tells steps, output, the id and the tag', async () => {
  const { machine, build } = await machineWithBase(() => ({ files: { made: 'x' }, output: 'making\n' }))
  using _machine = machine
  const first = await build()
  const id = machine.tags.get('web:1')
  const text = streams(first)
  assert.match(text, /^Step 1\/4 : FROM base\n ---> [0-9a-f]{12}\nStep 2\/4 : ARG B\n/)
  assert.match(text, /Step 3\/4 : RUN make\nmaking\n ---> [0-9a-f]{12}\nStep 4\/4 : CMD \["x"\]\n/)
  assert.match(text, new RegExp(`Successfully built ${id?.slice(7, 19)}\nSuccessfully tagged web:1\n$`))
  assert.ok(first.some((message) => 'aux' in message && message.aux.ID === id))
  assert.deepEqual(machine.runs[0]?.limits, { memoryBytes: 1e9, cpusetCpus: '0' })
  assert.match(streams(await build()), /Step 3\/4 : RUN make\n ---> Using cache\n ---> /)
  assert.equal(streams(await build({ ...REQUEST, isQuiet: true })), `${id}\n`)
})

test('a failure after the first step is the last message, with the exit code', async () => {
  const { machine, build } = await machineWithBase(() => ({ exitCode: 3 }))
  using _machine = machine
  const last = (await build()).at(-1)
  assert.ok(last !== undefined && 'errorDetail' in last)
  assert.equal(last.errorDetail.code, 3)
  assert.match(last.error, /returned a non-zero code: 3$/)
})

test('a failure before the first step is thrown, so that the response gets its status', async () => {
  const { machine, build } = await machineWithBase()
  using _machine = machine
  await assert.rejects(build(REQUEST, { Dockerfile: 'FORM x' }), { code: 'dockerfile.unknown_instruction' })
  await assert.rejects(build({ ...REQUEST, dockerfile: 'other' }), { code: 'build.dockerfile_not_found' })
  await assert.rejects(build({ ...REQUEST, networkMode: 'container:x' }), { code: 'build.unsupported' })
  await assert.rejects(build(REQUEST, { Dockerfile: 'FROM nothing' }), { code: 'build.base_not_found' })
})

test('a client that goes away stops the build', async () => {
  const { machine, builder } = await machineWithBase(() => ({ files: { a: 'x' } }))
  using _machine = machine
  const dockerfile = `FROM base\n${'RUN step\n'.repeat(50)}`
  for await (const _ of builder.build(REQUEST, streamOf(await tarOf({ Dockerfile: dockerfile })), new AbortController().signal))
    break
  assert.ok(machine.runs.length < 50)
})

test('usage lists what is cached, prune forgets what no image has', async () => {
  const { machine, builder, build } = await machineWithBase(() => ({ files: { made: 'x' } }))
  using _machine = machine
  await build()
  await build()
  const [entry] = builder.usage()
  assert.deepEqual([entry?.description, entry?.usageCount, entry?.isShared, entry?.isInUse], ['RUN make', 1, true, false])
  assert.equal(machine.retained.size, 1)
  await builder.prune({ all: false })
  assert.equal(builder.usage().length, 1)
  const pruned = await builder.prune({ all: true })
  assert.deepEqual(pruned.deleted, [entry?.id])
  assert.equal(machine.retained.size, 0)
  await build()
  assert.equal(machine.runs.length, 2)
})

test('a character that comes in two chunks of output stays whole', () => {
  const render = classicMessages({ isQuiet: false })
  const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)]
  const output = (chunk: Buffer) => render({ kind: 'output', number: 1, stream: 'stdout', chunk })
  assert.deepEqual([...output(first), ...output(second)], [{ stream: 'ä' }])
})

test('an error shows its hint', () => {
  const error = new GloveboxError('x.y', 'invalid', 'what', { hint: 'Do this.' })
  const [message] = classicMessages({ isQuiet: true })({ kind: 'failed', error })
  assert.deepEqual(message, { errorDetail: { message: 'what. Do this.' }, error: 'what. Do this.' })
})

test('output that nobody reads is bounded, and what is left out is said', async () => {
  const queue = messageQueue()
  const chunk = 'x'.repeat(1024 * 1024)
  for (let count = 0; count < 40; count += 1) queue.push([{ stream: chunk }])
  queue.push([{ aux: { ID: 'id' } }])
  queue.close()
  const messages: ClassicMessage[] = []
  for await (const message of queue) messages.push(message)
  assert.equal(messages.length, 18)
  assert.deepEqual(messages.at(-1), { stream: `[${24 * 1024 * 1024} characters of output left out]\n` })
})
