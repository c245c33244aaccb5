import assert from 'node:assert/strict'
import { createReadStream, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'

import Docker from 'dockerode'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { busyboxTar } from '../support/image.ts'
import { run, until } from '../support/processes.ts'

describe('dockerode', () => {
  let daemon: TestDaemon | undefined
  const docker = () => {
    if (daemon === undefined) throw new Error('the daemon of these tests did not start')
    return new Docker({ socketPath: daemon.socketPath })
  }

  before(async () => {
    daemon = await startDaemon()
    const tar = await busyboxTar(daemon.directory)
    const progress = await docker().importImage(tar, { repo: 'busybox', tag: 'latest', changes: 'ENV PATH=/bin' })
    await text(progress)
  })
  after(async () => await daemon?.stop())

  test('run gives both streams apart and the exit code', async () => {
    const out = new PassThrough()
    const errors = new PassThrough()
    const [{ StatusCode }, container] = await docker().run(
      'busybox',
      ['sh', '-c', 'echo out; echo err >&2; exit 7'],
      [out, errors],
      { Tty: false },
    )
    out.end()
    errors.end()
    assert.deepEqual([StatusCode, await text(out), await text(errors)], [7, 'out\n', 'err\n'])
    await container.remove()
  })

  test('a hijacked attach carries input, its half-close and output', async () => {
    const container = await docker().createContainer({
      Image: 'busybox',
      Cmd: ['sort'],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
    })
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true })
    await container.start()
    const out = new PassThrough()
    docker().modem.demuxStream(stream, out, new PassThrough())
    stream.write('b\na\n')
    stream.end()
    assert.deepEqual(await container.wait(), { StatusCode: 0 })
    await finished(stream, { writable: false })
    out.end()
    assert.equal(await text(out), 'a\nb\n')
    await container.remove()
  })

  test('exec, inspect, top, stats, logs and resize of one that runs', async () => {
    const container = await docker().createContainer({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'echo begun; sleep 100'],
      Tty: true,
      HostConfig: { Memory: 64 << 20 },
    })
    await container.start()
    const exec = await container.exec({ Cmd: ['sh', '-c', 'cat; exit 3'], AttachStdin: true, AttachStdout: true })
    const stream = await exec.start({ hijack: true, stdin: true })
    const out = new PassThrough()
    docker().modem.demuxStream(stream, out, out)
    stream.end('typed')
    await finished(stream, { writable: false })
    out.end()
    assert.equal(await text(out), 'typed')
    assert.deepEqual(await until('the exit code', 2000, async () => (await exec.inspect()).ExitCode ?? undefined), 3)
    assert.equal((await container.top()).Processes.length, 1)
    const stats = await container.stats({ stream: false })
    assert.equal(stats.memory_stats.limit, 64 << 20)
    assert.equal((await container.logs({ stdout: true })).toString(), 'begun\r\n')
    await container.resize({ h: 10, w: 20 })
    assert.equal((await container.inspect()).HostConfig.Memory, 64 << 20)
    await container.remove({ force: true })
    await assert.rejects(container.inspect(), { statusCode: 404 })
  })

  test('events, images, networks and volumes are objects', async () => {
    const events = await docker().getEvents({ filters: { type: ['container'], event: ['create'] } })
    const first = new Promise<{ Action: string }>((resolve) =>
      events.once('data', (line: Buffer) => resolve(JSON.parse(line.toString()))),
    )
    const container = await docker().createContainer({ Image: 'busybox', Cmd: ['true'], name: 'evented' })
    assert.equal((await first).Action, 'create')
    events.destroy()
    await container.remove()
    assert.deepEqual(
      (await docker().listImages()).flatMap(({ RepoTags }) => RepoTags),
      ['busybox:latest'],
    )
    const network = await docker().createNetwork({ Name: 'coded' })
    assert.equal((await network.inspect()).Driver, 'bridge')
    await network.remove()
    await docker().createVolume({ Name: 'coded' })
    assert.deepEqual(
      (await docker().listVolumes()).Volumes.map(({ Name }) => Name),
      ['coded'],
    )
    await docker().getVolume('coded').remove()
  })

  test('an image is built from a tar, saved and loaded', async () => {
    const directory = daemon?.directory ?? ''
    writeFileSync(join(directory, 'Dockerfile'), 'FROM busybox\nRUN echo made > /made\nCMD ["cat", "/made"]\n')
    const archive = join(directory, 'context.tar')
    await run('tar', ['-C', directory, '-cf', archive, 'Dockerfile'])
    const progress = await docker().buildImage(createReadStream(archive), { t: 'coded:1' })
    await new Promise<void>((resolve, reject) =>
      docker().modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error))),
    )
    const saved = await buffer(await docker().getImage('coded:1').get())
    await docker().getImage('coded:1').remove()
    const again = join(directory, 'again.tar')
    writeFileSync(again, saved)
    await text(await docker().loadImage(again))
    assert.deepEqual((await docker().getImage('coded:1').inspect()).Config.Cmd, ['cat', '/made'])
    await docker().getImage('coded:1').remove()
  })

  test('whoever waits and leaves is forgotten, and the container goes on', async () => {
    const container = await docker().createContainer({ Image: 'busybox', Cmd: ['sleep', '100'] })
    await container.start()
    for (let left = 0; left < 20; left += 1) {
      const socket = connect(daemon?.socketPath ?? '')
      socket.write(`POST /v1.41/containers/${container.id}/wait HTTP/1.1\r\nHost: d\r\n\r\n`)
      await new Promise((resolve) => socket.once('data', resolve))
      socket.destroy()
    }
    assert.equal((await container.inspect()).State.Running, true)
    await container.kill()
    assert.deepEqual(await container.wait(), { StatusCode: 137 })
    await container.remove()
  })
})
