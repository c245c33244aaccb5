import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { until } from '../support/processes.ts'

const TIMEOUT_MS = 15_000

/** Ages of a second stand for the days of the defaults; the plan itself is tested with those. */
describe('images that nobody uses go by themselves', () => {
  let daemon: TestDaemon
  let docker: Docker

  before(async () => {
    daemon = await startDaemon(['--gc', 'unused=1s,untagged=1s,cache=1s,keep=0,protect=kept:*'])
    docker = dockerOf(daemon, dockerClients()[0] ?? assert.fail('no client'))
    const base = await busyboxTar(daemon.directory)
    for (const name of ['used', 'kept', 'unused'])
      await docker.must(
        'import',
        '--change',
        'CMD ["sh"]',
        '--change',
        'ENV PATH=/bin',
        '--change',
        `LABEL n=${name}`,
        base,
        `${name}:1`,
      )
  })
  after(async () => await daemon.stop())

  const gc = async (...flags: readonly string[]) => {
    const ended = await daemon.glovebox('system', 'gc', ...flags)
    assert.equal(ended.code, 0, ended.stderr)
    return ended.stdout
  }

  test('a dry run says what would go and why the rest stays, and removes nothing', async () => {
    await docker.must('create', '--name', 'holder', 'used:1')
    await until('the images to be old enough', TIMEOUT_MS, async () =>
      /unused:1 .*limit 1 s/.test(await gc('--dry-run')) ? true : undefined,
    )
    const preview = await gc('--dry-run')
    assert.match(preview, /A pass now would remove 1 thing/)
    assert.match(preview, /image +[0-9a-f]{12} +unused:1 .* unused for \d+ s \(limit 1 s\)/)
    assert.match(preview, /used:1 +used by container holder/)
    assert.match(preview, /kept:1 +protected by kept:\*/)
    assert.match(await docker.must('images', '--format', '{{.Repository}}'), /unused/)
  })

  test('a pass removes it, and log, events and the record say so', async () => {
    const events = docker.spawn('events', '--filter', 'type=image')
    await until('events to be followed', TIMEOUT_MS, async () =>
      (await docker.must('info')).includes('Garbage Collection') ? true : undefined,
    )
    assert.match(await gc('--now'), /removed 1 thing/)
    await until(
      'word of the removal',
      TIMEOUT_MS,
      async () =>
        await Promise.resolve(/image untag .*unused:1[^]*image delete[^]*image prune/.test(events.output()) ? true : undefined),
    )
    events.kill('SIGTERM')
    await events.finish()
    assert.deepEqual((await docker.must('images', '--format', '{{.Repository}}')).split('\n').toSorted(), ['kept', 'used'])
    assert.match(daemon.log(), /removed an image .*names=unused:1 .*why="unused for/)
    const report = JSON.parse(await gc('--format', 'json'))
    assert.deepEqual([report.runs.length, report.runs[0].trigger, report.runs[0].removed[0].names], [1, 'request', ['unused:1']])
    assert.equal(JSON.parse(await gc('--now', '--format', 'json')).removed.length, 0)
  })

  test('an image that is used again in time stays, and results of builds go', async () => {
    const context = join(daemon.directory, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), 'FROM kept:1\nRUN echo made > /made\n')
    await docker.must('build', '--tag', 'built:1', context)
    await docker.must('create', '--name', 'second', 'built:1')
    await until('the build result to be old enough', TIMEOUT_MS, async () =>
      (await gc('--dry-run')).includes('cache ') ? true : undefined,
    )
    assert.match(await gc('--now'), /cache +\S+ +RUN echo made/)
    assert.match(await docker.must('images', 'built'), /built/)
    await docker.must('rm', 'second', 'holder')
  })
})
