import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { eachClient } from './each-client.ts'

eachClient('docker logs', (bench) => {
  test('both streams are kept, with their order and times', async () => {
    const { docker } = bench()
    await docker.must('run', '--name', 'both', 'busybox', 'sh', '-c', 'echo one; echo two >&2; printf three')
    const { stdout, stderr } = await docker('logs', 'both')
    assert.deepEqual({ stdout, stderr }, { stdout: 'one\nthree', stderr: 'two\n' })
    assert.match((await docker('logs', '--timestamps', 'both')).stdout, /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z one\n/)
    await docker.must('rm', 'both')
  })

  test('--tail, --since and --until choose', async () => {
    const { docker } = bench()
    await docker.must(
      'run',
      '--name',
      'five',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; done; sleep 1.2; for i in 4 5; do echo $i; done',
    )
    assert.equal(await docker.must('logs', '--tail', '2', 'five'), '4\n5')
    assert.equal(await docker.must('logs', '--tail', '0', 'five'), '')
    assert.equal(await docker.must('logs', '--tail', 'all', 'five'), '1\n2\n3\n4\n5')
    const { StartedAt } = (await docker.inspect('five')).State
    const middle = new Date(Date.parse(StartedAt) + 700).toISOString()
    assert.equal(await docker.must('logs', '--since', middle, 'five'), '4\n5')
    assert.equal(await docker.must('logs', '--until', middle, 'five'), '1\n2\n3')
    assert.equal(await docker.must('logs', '--since', '1h', 'five'), '1\n2\n3\n4\n5')
    await docker.must('rm', 'five')
  })

  test('-f follows until the container ends', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'slow', 'busybox', 'sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done')
    assert.equal(await docker.must('logs', '--follow', 'slow'), '1\n2\n3')
    await docker.must('rm', 'slow')
  })

  test('--log-opt bounds what is kept, and readers get whole lines', async () => {
    const { docker } = bench()
    const write = 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a log that is bounded"; i=$((i+1)); done'
    await docker.must(
      'run',
      '--name',
      'bounded',
      '--log-opt',
      'max-size=20k',
      '--log-opt',
      'max-file=2',
      'busybox',
      'sh',
      '-c',
      write,
    )
    const lines = (await docker.must('logs', 'bounded')).split('\n')
    assert.ok(lines.length > 50 && lines.length < 1000, `${lines.length} lines`)
    assert.equal(lines.at(-1), 'line 2999 of a log that is bounded')
    assert.ok(lines.every((line) => /^line \d+ of a log that is bounded$/.test(line)))
    await docker.must('rm', 'bounded')
  })

  test('rotated logs are compressed when asked, and read as any other', async () => {
    const { docker, daemon } = bench()
    const write = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done'
    const options = ['max-size=50k', 'max-file=9', 'compress=true'].flatMap((option) => ['--log-opt', option])
    await docker.must('run', '--name', 'packed', ...options, 'busybox', 'sh', '-c', write)
    const { Id } = await docker.inspect('packed')
    const files = readdirSync(join(daemon.directory, 'root/containers', Id)).filter((name) => name.endsWith('.gz'))
    assert.ok(files.length >= 3, files.join())
    const lines = (await docker.must('logs', 'packed')).split('\n')
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [3000, 'line 0', 'line 2999'])
    assert.match(await docker.must('logs', '--tail', '2500', 'packed'), /^line 500\n/)
    await docker.must('rm', 'packed')
  })

  test('--log-driver local rotates by itself and is read by docker logs', async () => {
    const { docker } = bench()
    await docker.must(
      'run',
      '--name',
      'local',
      '--log-driver',
      'local',
      '--log-opt',
      'mode=non-blocking',
      'busybox',
      'echo',
      'hi',
    )
    assert.equal(await docker.must('logs', 'local'), 'hi')
    assert.equal((await docker.inspect('local')).HostConfig.LogConfig.Type, 'local')
    await docker.must('rm', 'local')
  })

  test('--details shows the labels, variables and tag that were chosen', async () => {
    const { docker } = bench()
    const options = ['labels=tier', 'env-regex=^PO', 'tag={{.Name}}/x'].flatMap((option) => ['--log-opt', option])
    await docker.must('run', '--name', 'told', ...options, '--label', 'tier=web', '-e', 'PORT=80', 'busybox', 'echo', 'hi')
    assert.equal(await docker.must('logs', '--details', 'told'), 'PORT=80,tag=told%2Fx,tier=web hi')
    await docker.must('rm', 'told')
  })

  test('drivers and options that we do not have are refused by name', async () => {
    const { docker } = bench()
    const refusal = async (...flags: readonly string[]) => (await docker('create', ...flags, 'busybox')).stderr
    assert.match(await refusal('--log-driver', 'journald'), /log driver "journald" is not supported/)
    assert.match(await refusal('--log-opt', 'gelf-address=x'), /unknown log opt 'gelf-address' for json-file/)
    assert.match(await refusal('--log-opt', 'compress=true'), /compress needs max-size/)
  })

  test('--log-driver none keeps nothing and says so', async () => {
    const { docker } = bench()
    assert.equal(await docker.must('run', '--name', 'silent', '--log-driver', 'none', 'busybox', 'echo', 'hi'), 'hi')
    assert.match((await docker('logs', 'silent')).stderr, /does not support reading/)
    await docker.must('rm', 'silent')
  })
})
