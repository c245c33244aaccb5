import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { eachClient } from './each-client.ts'

eachClient('docker exec', (bench) => {
  before(
    async () =>
      void (await bench().docker.must(
        'run',
        '-d',
        '--name',
        'box',
        '--stop-timeout',
        '0',
        '-e',
        'FROM=box',
        '-w',
        '/tmp',
        'busybox',
        'sleep',
        '1000',
      )),
  )

  test('its output, errors and exit code come through', async () => {
    const { code, stdout, stderr } = await bench().docker('exec', 'box', 'sh', '-c', 'echo out; echo err >&2; exit 33')
    assert.deepEqual({ code, stdout, stderr }, { code: 33, stdout: 'out\n', stderr: 'err\n' })
  })

  test('it reads piped input to its end', async () => {
    const { stdout } = await bench().docker.with({ input: 'a b c' }, 'exec', '-i', 'box', 'wc', '-w')
    assert.equal(stdout.trim(), '3')
  })

  test('it runs as the user, in the directory and with the environment that it is given', async () => {
    const { docker } = bench()
    assert.equal(await docker.must('exec', 'box', 'sh', '-c', 'id -u; pwd; echo $FROM'), '0\n/tmp\nbox')
    const words = [
      'exec',
      '-u',
      'app',
      '-w',
      '/home',
      '-e',
      'FROM=exec',
      'box',
      'sh',
      '-c',
      'id -u; id -G; pwd; echo $FROM; echo $HOME',
    ]
    assert.equal(await docker.must(...words), '1000\n1000 2000\n/home\nexec\n/home/app')
  })

  test('a command that is not there is 127 and one that cannot run is 126', async () => {
    const missing = await bench().docker('exec', 'box', 'nosuch')
    assert.equal(missing.code, 127)
    assert.match(missing.stdout + missing.stderr, /executable file not found/)
    assert.equal((await bench().docker('exec', 'box', '/etc/notes')).code, 126)
  })

  test('-d leaves it running and inspect counts it', async () => {
    const { docker } = bench()
    await docker.must('exec', '-d', 'box', 'sleep', '98765')
    assert.match(await docker.must('top', 'box'), /98765/)
    assert.equal((await docker.inspect('box')).ExecIDs.length, 1)
  })

  test('--privileged has every capability', async () => {
    const bound = await bench().docker.must('exec', '--privileged', 'box', 'grep', 'CapEff', '/proc/self/status')
    const usual = await bench().docker.must('exec', 'box', 'grep', 'CapEff', '/proc/self/status')
    assert.notEqual(bound, usual)
    assert.match(usual, /00000000a80425fb/)
  })

  test('it is refused in a container that is stopped or paused', async () => {
    const { docker } = bench()
    await docker.must('pause', 'box')
    assert.match((await docker('exec', 'box', 'true')).stderr, /is paused/)
    await docker.must('unpause', 'box')
    await docker.must('create', '--name', 'never', 'busybox', 'true')
    assert.match((await docker('exec', 'never', 'true')).stderr, /is not running/)
    await docker.must('rm', 'never')
  })

  test('its user, group and directory are looked for in the container, and what is wrong with them is said', async () => {
    const { docker } = bench()
    assert.equal(await docker.must('exec', '-u', 'app:extra', 'box', 'id', '-g'), '2000')
    assert.equal(await docker.must('exec', '-u', '7:8', 'box', 'sh', '-c', 'id -u; id -g'), '7\n8')
    const nobody = await docker('exec', '-u', 'nosuch', 'box', 'true')
    assert.equal(nobody.code, 126)
    assert.match(nobody.stdout + nobody.stderr, /unable to find user nosuch/)
    const nowhere = await docker('exec', '-w', '/nowhere', 'box', 'true')
    assert.equal(nowhere.code, 126)
    assert.match(nowhere.stdout + nowhere.stderr, /working directory \/nowhere: No such file or directory/)
  })

  test('-d tells at once what cannot be started', async () => {
    const missing = await bench().docker('exec', '-d', 'box', 'nosuch')
    assert.notEqual(missing.code, 0)
    assert.match(missing.stderr, /executable file not found/)
  })

  test('what happens to it is told as events', async () => {
    const { docker } = bench()
    const since = String(Math.floor(Date.now() / 1000) - 1)
    await docker('exec', 'box', 'sh', '-c', 'exit 5')
    const until = String(Math.floor(Date.now() / 1000) + 1)
    const told = await docker.must(
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'container=box',
      '--format',
      '{{.Action}} {{.Actor.Attributes.exitCode}}',
    )
    for (const line of ['exec_create: sh -c exit 5', 'exec_start: sh -c exit 5', 'exec_die 5'])
      assert.ok(told.includes(line), told)
  })
})
