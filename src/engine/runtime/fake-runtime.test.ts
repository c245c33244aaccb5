import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'

import { fakeRuntime } from './fake-runtime.ts'

const start = {
  id: 'c1',
  dir: '/run/c1',
  bundle: '/b',
  isTty: false,
  hasStdin: true,
  subscription: { stdout: true, stderr: true },
}

test('a fake process is played by the test and seen through the same face', async () => {
  const runtime = fakeRuntime(virtualClock())
  let text = ''
  const running = await runtime.start({
    ...start,
    onConnected: (connection) => {
      connection.listen({ output: (stream, bytes) => void (text += `${stream}:${bytes.toString()} `) })
      void connection.stdin(Buffer.from('in'))
    },
  })
  const played = runtime.processes.get('/run/c1')
  played?.write('stdout', 'a')
  played?.write('stderr', 'b')
  running.signal(15)
  assert.equal(text, 'stdout:a stderr:b ')
  assert.equal(played?.stdin.toString(), 'in')
  assert.deepEqual(played?.signals, [15])
  assert.equal((await runtime.adopt('/run/c1')).kind, 'running')
  await runtime.killAll('c1', 9)
  assert.equal((await running.exited).exitCode, 137)
  assert.equal((await runtime.adopt('/run/c1')).kind, 'exited')
  assert.equal((await runtime.adopt('/run/other')).kind, 'lost')
  assert.deepEqual(runtime.calls, ['start c1', 'killAll c1 9'])
})

test('a start can be made to fail', async () => {
  const runtime = fakeRuntime(virtualClock())
  runtime.failNextStart('no such file')
  await assert.rejects(runtime.start(start), /no such file/)
  await runtime.start(start)
})
