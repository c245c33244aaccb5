import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { eachClient } from './each-client.ts'

eachClient('what is asked rarely', (bench) => {
  test('a container that was never started is exported with the files of its image', async () => {
    const { docker, daemon } = bench()
    await docker.must('create', '--name', 'fresh', 'busybox', 'true')
    const tar = join(daemon.directory, 'fresh.tar')
    await docker.must('export', '-o', tar, 'fresh')
    assert.equal(await docker.must('diff', 'fresh'), '')
    await docker.must('import', tar, 'again')
    assert.equal(await docker.must('run', '--rm', 'again', 'echo', 'whole'), 'whole')
    await docker.must('rm', 'fresh')
    await docker.must('rmi', 'again')
  })

  test('a link is taken away, also from under a container that runs', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'db', 'busybox', 'sleep', '100')
    await docker.must('run', '-d', '--name', 'web', '--link', 'db:database', 'busybox', 'sleep', '100')
    assert.match(await docker.must('exec', 'web', 'cat', '/etc/hosts'), /\tdatabase$/m)
    await docker.must('rm', '--link', 'web/database')
    assert.doesNotMatch(await docker.must('exec', 'web', 'cat', '/etc/hosts'), /database/)
    assert.match((await docker('rm', '--link', 'web/database')).stderr, /No such container: \/?web\/database/)
    assert.match((await docker('rm', '--link', 'web')).stderr, /cannot remove the default link name/)
    await docker.must('rm', '-f', 'web', 'db')
  })

  test('who has the network of the host or none is told of by these networks', async () => {
    const { docker } = bench()
    for (const network of ['host', 'none']) {
      const id = await docker.must('run', '-d', '--name', `on-${network}`, '--network', network, 'busybox', 'sleep', '100')
      const [{ Containers }] = JSON.parse(await docker.must('network', 'inspect', network))
      assert.equal(Containers[id].Name, `on-${network}`)
      await docker.must('rm', '-f', id)
    }
  })

  test('a build tells of its image, with a name or without', async () => {
    const { docker, daemon } = bench()
    const context = join(daemon.directory, 'told')
    mkdirSync(context, { recursive: true })
    writeFileSync(join(context, 'Dockerfile'), `FROM busybox\nLABEL client=${docker.path}\n`)
    const since = (Date.now() / 1000).toFixed(3)
    const id = await docker.must('build', '-q', context)
    const end = (Date.now() / 1000 + 0.1).toFixed(3)
    const filter = ['--filter', 'type=image', '--filter', 'event=create']
    assert.match(await docker.must('events', '--since', since, '--until', end, ...filter), new RegExp(`image create ${id}`))
    await docker.must('rmi', id)
  })
})
