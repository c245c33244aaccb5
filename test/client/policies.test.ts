import assert from 'node:assert/strict'
import { test } from 'node:test'

import { until } from '../support/processes.ts'
import { eachClient } from './each-client.ts'

const LONG_MS = 15_000

eachClient('health and restarts', (bench) => {
  test('a health check is seen in ps and inspect, in good and in bad days', async () => {
    const { docker } = bench()
    await docker.must(
      ...[
        'run',
        '-d',
        '--name',
        'patient',
        '--health-cmd',
        'echo checked; test ! -e /ill',
        '--health-interval',
        '200ms',
        '--health-retries',
        '2',
      ],
      ...['busybox', 'sleep', '100'],
    )
    const health = async () => (await docker.inspect('patient')).State.Health
    const status = (wanted: string) => until(wanted, LONG_MS, async () => ((await health()).Status === wanted ? true : undefined))
    await status('healthy')
    assert.match(await docker.must('ps', '--format', '{{.Status}}'), /\(healthy\)/)
    assert.equal(await docker.must('ps', '-q', '--filter', 'health=unhealthy'), '')
    assert.match((await health()).Log[0].Output, /checked/)
    await docker.must('exec', 'patient', 'touch', '/ill')
    await status('unhealthy')
    assert.ok((await health()).FailingStreak >= 2)
    assert.match(await docker.must('ps', '--format', '{{.Status}}'), /\(unhealthy\)/)
    await docker.must('exec', 'patient', 'rm', '/ill')
    await status('healthy')
    await docker.must('rm', '-f', 'patient')
  })

  test('on-failure restarts as often as it was told, and success ends it', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'fails', '--restart', 'on-failure:2', 'busybox', 'sh', '-c', 'exit 3')
    const ended = await until('the last life', LONG_MS, async () => {
      const seen = await docker.inspect('fails')
      return seen.State.Status === 'exited' && seen.RestartCount === 2 ? seen : undefined
    })
    assert.equal(ended.State.ExitCode, 3)
    await docker.must('rm', 'fails')
    await docker.must('run', '-d', '--name', 'done', '--restart', 'on-failure', 'busybox', 'true')
    assert.equal(await docker.must('wait', 'done'), '0')
    assert.equal((await docker.inspect('done')).RestartCount, 0)
    await docker.must('rm', 'done')
  })

  test('always restarts until it is stopped by hand', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'ever', '--restart', 'always', 'busybox', 'sh', '-c', 'sleep 0.1')
    await until('two restarts', LONG_MS, async () => ((await docker.inspect('ever')).RestartCount >= 2 ? true : undefined))
    await docker.must('stop', '--time', '0', 'ever')
    const { RestartCount } = await docker.inspect('ever')
    await new Promise((resolve) => setTimeout(resolve, 600))
    const after = await docker.inspect('ever')
    assert.deepEqual([after.State.Status, after.RestartCount], ['exited', RestartCount])
    await docker.must('rm', 'ever')
  })
})
