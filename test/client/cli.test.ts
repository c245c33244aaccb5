import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { startRegistry } from '../kernel/registry-process.ts'
import { run } from '../support/processes.ts'
import { cliBench } from './cli-bench.ts'

describe('glovebox does what docker does', () => {
  const bench = cliBench()

  test('lists, templates and JSON are to the letter those of docker on the same daemon', async () => {
    const { cli, docker } = bench()
    const same = [
      ['ps', '-a', '--no-trunc'],
      ['ps', '-aqf', 'status=exited'],
      [
        'ps',
        '-a',
        '--format',
        '{{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Ports}} {{.Networks}} {{.Mounts}} {{.LocalVolumes}}',
      ],
      ['ps', '--format', 'table {{.Names}}\\t{{.Label "com.example.who"}}\\t{{upper .State}}'],
      ['ps', '--format', '{{range split .Names ","}}<{{.}}>{{end}}{{if eq .State "running"}} up{{else}} down{{end}}'],
      ['container', 'ls', '-n', '1', '--format', '{{println .CreatedAt}}{{printf "%-10s|%q" .Names .Image}}'],
      ['images'],
      ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}} {{.ID}} {{.Digest}} {{.CreatedAt}}'],
      ['history', '--human=false', '--no-trunc', 'busybox'],
      ['network', 'ls'],
      ['network', 'ls', '--filter', 'label=x=y', '--format', '{{.ID}} {{.Driver}} {{.Labels}} {{.CreatedAt}}'],
      ['volume', 'ls'],
      ['volume', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}}'],
      ['port', 'web'],
      ['port', 'web', '80'],
      ['diff', 'done'],
      ['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}'],
      [
        'inspect',
        '-f',
        '{{.Id}} {{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.Config.Cmd}} {{json .Config.Labels}}',
        'web',
        'done',
      ],
      ['inspect', '-f', '{{range $name, $net := .NetworkSettings.Networks}}{{$name}}={{$net.IPAddress}} {{end}}', 'web'],
      [
        'inspect',
        '-f',
        '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}} {{index .Config.Labels "b"}} {{len .Mounts}}',
        'web',
      ],
      ['inspect', '-f', '{{with .State}}{{.Running}} {{not .Running}}{{end}} {{and .Name .Id}} {{or "" .Driver}}', 'web'],
      ['image', 'inspect', '-f', '{{.RepoTags}} {{.Config.Env}} {{.Architecture}}', 'busybox'],
      ['network', 'inspect', '-f', '{{.Name}} {{(index .IPAM.Config 0).Subnet}} {{.Labels}}', 'app'],
      ['volume', 'inspect', '-f', '{{.Name}} {{.Mountpoint}}', 'data'],
      ['top', 'web', '-o', 'pid,comm'],
      ['logs', 'done'],
    ]
    for (const words of same) {
      const both = async () => await Promise.all([cli(...words), docker(...words)])
      let [ours, theirs] = await both()
      // `3 seconds ago` may become 4 between the two.
      for (let again = 0; again < 3 && trimmed(ours.stdout) !== trimmed(theirs.stdout); again += 1) [ours, theirs] = await both()
      assert.equal(trimmed(ours.stdout), trimmed(theirs.stdout), words.join(' '))
      assert.equal(ours.code, theirs.code, words.join(' '))
    }
    const json = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, string>)
    const [ours] = json(await cli.must('ps', '--format', '{{json .}}'))
    const [theirs] = json(await docker.must('ps', '--format', '{{json .}}'))
    for (const [name, value] of Object.entries(theirs ?? {}))
      if (!/RunningFor|Status/.test(name)) assert.equal(ours?.[name], value, name)
  })

  test('what only looks is drawn by the daemon, word for word as by the program', async () => {
    const { cli, daemon } = bench()
    const node = join(daemon.directory, 'node')
    // Stands in for the Node that the command line would become: it is not to be needed.
    writeFileSync(node, '#!/bin/sh\nexit 99\n', { mode: 0o755 })
    const shim = join(cli.launcher, '../build/native/glovebox-shim')
    const drawn = async (...words: readonly string[]) => await run(shim, ['ask', node, 'cli', ...words], { env: cli.env })
    for (const words of [
      ['ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.Labels}}'],
      ['image', 'ls', '-q'],
      ['inspect', 'web'],
      ['__complete', '--', 'volume', 'rm', ''],
    ]) {
      const [fast, slow] = await Promise.all([drawn(...words), cli.with({ env: { TZ: 'UTC' } }, ...words)])
      assert.deepEqual([fast.code, fast.stdout], [0, slow.stdout], words.join(' '))
    }
    // Whatever changes something, fails, or speaks of another daemon is the program's.
    for (const words of [
      ['stop', 'web'],
      ['container', 'rm', 'web'],
      ['inspect', 'nosuch'],
      ['ps', '--nosuch'],
      ['ps', '-H', '/nosuch.sock'],
      [],
    ])
      assert.equal((await drawn(...words)).code, 99, words.join(' '))
    assert.equal((await run(shim, ['ask', node, 'cli', 'ps'], { env: { GLOVEBOX_HOST: '/nosuch.sock' } })).code, 99)
  })

  test('a container lives its whole life', async () => {
    const { cli } = bench()
    const id = await cli.must('create', '--name', 'life', '-i', 'busybox', 'cat')
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.equal(await cli.must('start', 'life'), 'life')
    assert.equal(await cli.must('pause', 'life'), 'life')
    assert.equal(await cli.must('ps', '-q', '--no-trunc', '-f', 'status=paused'), id)
    assert.equal(await cli.must('unpause', 'life'), 'life')
    assert.equal(await cli.must('rename', 'life', 'life2'), '')
    assert.equal(await cli.must('update', '-m', '64m', '--memory-swap', '64m', 'life2'), 'life2')
    assert.equal(await cli.must('inspect', '-f', '{{.HostConfig.Memory}}', 'life2'), String(64 * 1024 * 1024))
    assert.equal(await cli.must('restart', '-t', '0', 'life2'), 'life2')
    const waiting = cli('wait', 'life2', 'done')
    assert.equal(await cli.must('kill', '-s', 'KILL', 'life2'), 'life2')
    assert.equal((await waiting).stdout, '137\n3\n')
    assert.equal(await cli.must('stop', '-t', '0', 'life2'), 'life2')
    assert.equal(await cli.must('rm', '-v', 'life2'), 'life2')
    const gone = await cli('rm', 'life2')
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /No such container: life2/)
  })

  test('exit codes say what went wrong', async () => {
    const { cli } = bench()
    const code = async (...words: readonly string[]) => (await cli(...words)).code
    assert.deepEqual(
      await Promise.all([
        code('run', '--rm', 'busybox', 'sh', '-c', 'exit 42'),
        code('run', '--rm', 'busybox', 'nosuch'),
        code('run', '--rm', 'busybox', '/etc/passwd'),
        code('run', '--rm', '--nosuch', 'busybox'),
        code('run', '--rm', '--pull', 'never', 'nosuch:1'),
        code('-H', '/nosuch.sock', 'run', 'busybox'),
        code('exec', 'web', 'sh', '-c', 'exit 7'),
        code('exec', 'web', 'nosuch'),
        code('exec', 'nosuch', 'ls'),
        code('ps', '--nosuch'),
        code('nosuch'),
        code('search', 'x'),
        code('-H', '/nosuch.sock', 'ps'),
        code('inspect', 'nosuch'),
      ]),
      [42, 127, 126, 125, 125, 125, 7, 127, 1, 2, 2, 2, 3, 1],
    )
  })

  test('mistakes read like advice', async () => {
    const { cli } = bench()
    const says = async (...words: readonly string[]) => (await cli(...words)).stderr
    assert.match(await says('sotp', 'web'), /unknown command "sotp"\n.*Did you mean `glovebox stop`/)
    assert.match(await says('run', '--pubish', '80', 'busybox'), /unknown flag --pubish\n.*Did you mean --publish/)
    assert.match(
      await says('ps', '--format', '{{.Nmaes}}'),
      /no field Nmaes \(at character 3.*\n.*Did you mean Names\? There are: ID, Image/,
    )
    assert.match(await says('run', '--isolation', 'hyperv', 'busybox'), /--isolation is not supported: .*Windows/)
    assert.match(await says('run', '--gpus', 'all', 'busybox'), /DeviceRequests|GPU|device/i)
    assert.match(await says('volume', 'prune'), /nobody answered.*\n.*--force/)
  })

  test('files go in and out, as files and as archives', async () => {
    const { cli, daemon } = bench()
    const at = (name: string) => join(daemon.directory, name)
    writeFileSync(at('in.txt'), 'hello')
    await cli.must('cp', at('in.txt'), 'web:/tmp/x')
    await cli.must('cp', 'web:/tmp/x', at('out.txt'))
    assert.equal(readFileSync(at('out.txt'), 'utf8'), 'hello')
    const tar = await cli('cp', 'web:/tmp/x', '-')
    assert.equal((await cli.with({ input: tar.stdout }, 'cp', '-', 'web:/root')).code, 0)
    assert.equal(await cli.must('exec', 'web', 'cat', '/root/x'), 'hello')
    assert.match(await cli.must('diff', 'web'), /A \/root\/x/)
    await cli.must('export', '-o', at('web.tar'), 'web')
    assert.ok(existsSync(at('web.tar')))
    assert.match(await cli.must('commit', '-m', 'kept', '-c', 'CMD ["true"]', 'web', 'kept:1'), /^sha256:/)
    assert.match(await cli.must('history', '--format', '{{.Comment}}', 'kept:1'), /kept/)
    await cli.must('save', '-o', at('kept.tar'), 'kept:1')
    assert.match(await cli.must('rmi', 'kept:1'), /Untagged: kept:1/)
    assert.match(await cli.must('load', '-i', at('kept.tar')), /Loaded image: kept:1/)
    await cli.must('tag', 'kept:1', 'kept:2')
    assert.equal(
      await cli.must('images', '-q', 'kept'),
      (await cli.must('images', '-q', '--filter', 'reference=kept:1')).concat('\n').repeat(2).trimEnd(),
    )
    await cli.must('image', 'rm', 'kept:1', 'kept:2')
  })

  test('networks and volumes are made, joined and removed', async () => {
    const { cli } = bench()
    await cli.must(
      'network',
      'create',
      '--subnet',
      '10.213.0.0/24',
      '--gateway',
      '10.213.0.1',
      '--ip-range',
      '10.213.0.128/25',
      'mine',
    )
    assert.equal(
      await cli.must('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}', 'mine'),
      '10.213.0.0/24 10.213.0.1',
    )
    await cli.must('network', 'connect', '--alias', 'also', '--ip', '10.213.0.200', 'mine', 'web')
    assert.equal(await cli.must('inspect', '-f', '{{.NetworkSettings.Networks.mine.IPAddress}}', 'web'), '10.213.0.200')
    await cli.must('network', 'disconnect', 'mine', 'web')
    assert.equal(await cli.must('network', 'rm', 'mine'), 'mine')
    assert.equal(await cli.must('network', 'rm', '-f', 'mine'), 'mine')
    assert.equal(await cli.must('volume', 'create', '--label', 'a=b', 'box'), 'box')
    assert.equal(await cli.must('volume', 'ls', '-q', '-f', 'label=a=b'), 'box')
    assert.equal(await cli.must('volume', 'rm', 'box'), 'box')
    assert.equal((await cli('volume', 'rm', 'box')).code, 1)
  })

  test('what nothing uses goes, after asking', async () => {
    const { cli } = bench()
    await cli.must('create', '--name', 'idle', '-l', 'gone=yes', 'busybox')
    assert.equal((await cli.with({ input: 'n\n' }, 'container', 'prune')).code, 0)
    assert.equal((await cli.must('ps', '-aq', '-f', 'name=idle')) === '', false)
    assert.match(
      (await cli.with({ input: 'y\n' }, 'container', 'prune', '--filter', 'label=gone')).stdout,
      /Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space/,
    )
    await cli.must('network', 'create', 'lonely')
    assert.match(await cli.must('network', 'prune', '-f'), /Deleted Networks:\nlonely/)
    await cli.must('volume', 'create', 'lonely')
    assert.match(await cli.must('volume', 'prune', '-af'), /Deleted Volumes:\nlonely/)
    assert.match(await cli.must('image', 'prune', '-f'), /Total reclaimed space: 0B/)
    assert.match(await cli.must('builder', 'prune', '-f'), /Total reclaimed space/)
    assert.match(await cli.must('system', 'prune', '-f', '--filter', 'label=nothing'), /Total reclaimed space/)
  })

  test('figures, events and facts', async () => {
    const { cli } = bench()
    assert.match(
      await cli.must('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', 'web'),
      /^web .+iB \/ .+iB 1$/,
    )
    assert.match(await cli.must('stats', '--no-stream'), /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT/)
    assert.match(
      await cli.must('events', '--since', '1h', '--until', '0s', '-f', 'container=web', '--format', '{{.Action}}'),
      /create\n.*start/s,
    )
    assert.match(await cli.must('system', 'df', '-v'), /Local Volumes space usage:/)
    assert.equal(
      await cli.must('info', '--format', '{{.ServerVersion}}'),
      await cli.must('version', '--format', '{{.Server.Version}}'),
    )
    assert.match(await cli.must('--version'), /client/)
  })

  test('a detached run, its id in a file, and a removal by itself', async () => {
    const { cli, daemon } = bench()
    const file = join(daemon.directory, 'cid')
    const id = await cli.must('run', '-d', '--rm', '--cidfile', file, '--stop-timeout', '0', 'busybox', 'sleep', '100')
    assert.equal(readFileSync(file, 'utf8'), id)
    assert.match((await cli('run', '-d', '--cidfile', file, 'busybox')).stderr, /exists already/)
    await cli.must('stop', id)
    assert.equal((await cli('inspect', id)).code, 1)
  })

  test('input goes in, ends, and the answer comes out', async () => {
    const { cli } = bench()
    const piped = await cli.with({ input: 'one\ntwo\n' }, 'run', '--rm', '-i', 'busybox', 'wc', '-l')
    assert.equal(piped.stdout, '2\n')
    assert.equal((await cli.with({ input: 'abc' }, 'exec', '-i', 'web', 'cat')).stdout, 'abc')
    const { stdout, stderr } = await cli('run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2')
    assert.deepEqual([stdout, stderr], ['out\n', 'err\n'])
    const only = await cli('run', '--rm', '-a', 'stderr', 'busybox', 'sh', '-c', 'echo out; echo err >&2')
    assert.deepEqual([only.stdout, only.stderr], ['', 'err\n'])
  })

  test('signals are handed on, and not where that is switched off', async () => {
    const { cli } = bench()
    const running = cli.spawn(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done',
    )
    await running.shows(/ready/)
    running.kill('SIGTERM')
    assert.equal((await running.finish()).code, 9)
    const watching = cli.spawn('attach', '--no-stdin', '--sig-proxy=false', 'web')
    await new Promise((resolve) => setTimeout(resolve, 500))
    watching.kill('SIGINT')
    await watching.finish()
    assert.equal(await cli.must('inspect', '-f', '{{.State.Running}}', 'web'), 'true')
  })

  test('passwords of registries are shared with docker, and run fetches what is not here', async () => {
    const { cli, docker } = bench()
    await using registry = Object.assign(await startRegistry({ hasPassword: true }), {
      [Symbol.asyncDispose]: async () => await registry.stop(),
    })
    const name = `${registry.host}/team/web:1`
    await cli.must('tag', 'busybox', name)
    const wrong = await cli.with({ input: 'wrong' }, 'login', '-u', 'anna', '--password-stdin', registry.host)
    assert.deepEqual([wrong.code, wrong.stdout], [1, ''])
    assert.equal(
      (await cli.with({ input: 'right\n' }, 'login', '-u', 'anna', '--password-stdin', registry.host)).stdout,
      'Login Succeeded\n',
    )
    assert.match(await docker.must('push', name), /1: digest: /)
    await cli.must('rmi', name)
    const ran = await cli('run', '--rm', name, 'echo', 'fetched')
    assert.equal(ran.stdout, 'fetched\n')
    assert.match(ran.stderr, /fetching .* not here\n[^]*Status: Downloaded newer image/)
    await cli.must('rmi', name)
    assert.equal((await cli('run', '--rm', '--pull', 'never', name)).code, 125)
    assert.equal(await cli.must('pull', '-q', name), name)
    assert.match(await cli.must('logout', registry.host), /forgotten/)
    assert.equal((await docker('push', name)).code, 1)
  })

  test('another machine is reached through ssh', async () => {
    const { cli, daemon } = bench()
    const log = join(daemon.directory, 'ssh.log')
    // Stands in for ssh(1): it notes its words and runs the rest here.
    const fake = `#!/bin/sh\necho "$@" >> ${log}\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nshift\nexec ${cli.launcher} "$@"\n`
    writeFileSync(join(daemon.directory, 'ssh'), fake, { mode: 0o755 })
    const env = { PATH: `${daemon.directory}:${process.env['PATH']}`, GLOVEBOX_HOST: '' }
    const over = (...words: readonly string[]) =>
      cli.with({ env, timeoutMs: 20_000 }, '--host', `ssh://me@far:2222${daemon.socketPath}`, ...words)
    assert.match((await over('ps', '--format', '{{.Names}}')).stdout, /web/)
    assert.equal((await over('exec', 'web', 'echo', 'through')).stdout, 'through\n')
    assert.match(readFileSync(log, 'utf8'), /^-l me -p 2222 -- far glovebox --host unix:\/\/\S+ system dial-stdio$/m)
    writeFileSync(join(daemon.directory, 'ssh'), '#!/bin/sh\nexit 255\n', { mode: 0o755 })
    const broken = await over('ps')
    assert.equal(broken.code, 3)
    assert.match(broken.stderr, /ssh ended with exit code 255/)
  })
})

/** The line ends of tables differ: docker fills the last column with spaces. */
function trimmed(text: string): string {
  return text.replaceAll(/ +$/gm, '')
}
