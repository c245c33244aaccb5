import assert from 'node:assert/strict'
import { test } from 'node:test'

import { run, type Running, spawnProgram } from '../support/processes.ts'
import { type Docker } from '../support/docker.ts'
import { eachClient } from './each-client.ts'

/** Words of the tests' own, none of which a shell would read otherwise. */
const PLAIN = /^[\w./=:,;$" -]+$/

interface Terminal extends Running {
  resize(rows: number, columns: number): Promise<void>
}

/** Runs the client on a pseudo terminal of 24 rows and 80 columns: script(1) makes one, and stty(1) changes its size from outside. */
async function onTerminal(docker: Docker, ...args: readonly string[]): Promise<Terminal> {
  for (const word of args) if (!PLAIN.test(word)) throw new Error(`the word ${word} needs quoting`)
  const words = [docker.path, ...args].map((word) => `'${word}'`).join(' ')
  const running = spawnProgram('script', ['-qec', `stty rows 24 cols 80; tty; exec ${words}`, '/dev/null'], docker.env)
  const [, tty = ''] = await running.shows(/(\/dev\/pts\/\d+)\r\n/)
  const resize = async (rows: number, columns: number) => {
    await run('stty', ['-F', tty, 'rows', String(rows), 'cols', String(columns)])
  }
  return { ...running, resize }
}

eachClient('docker on a terminal', (bench) => {
  test('run -it gives the process a terminal of the size of the one outside', async () => {
    const shell = await onTerminal(bench().docker, 'run', '--rm', '-it', 'busybox', 'sh')
    await shell.shows(/# /)
    shell.write('stty size; echo $TERM; tty; exit 6\n')
    await shell.shows(/24 80\r\nxterm\r\n\/dev\/pts\/0\r\n/)
    assert.equal((await shell.finish()).code, 6)
  })

  test('a resize outside is a resize inside', async () => {
    const shell = await onTerminal(bench().docker, 'run', '--rm', '-it', 'busybox', 'sh')
    await shell.shows(/# /)
    await shell.resize(33, 111)
    shell.write('sleep 0.5; stty size\n')
    await shell.shows(/33 111/)
    shell.write('exit\n')
    assert.equal((await shell.finish()).code, 0)
  })

  test('Ctrl-C interrupts the process', async () => {
    const shell = await onTerminal(
      bench().docker,
      'run',
      '--rm',
      '-it',
      'busybox',
      'sh',
      '-c',
      'trap "exit 77" INT; echo begun; sleep 100; echo over',
    )
    await shell.shows(/begun/)
    shell.write('\x03')
    assert.equal((await shell.finish()).code, 77)
  })

  test('Ctrl-P Ctrl-Q detaches, and attach comes back to the same process', async () => {
    const { docker } = bench()
    const shell = await onTerminal(docker, 'run', '-it', '--name', 'left', 'busybox', 'sh')
    await shell.shows(/# /)
    shell.write('x=before\n')
    await shell.shows(/before/)
    shell.write('\x10\x11')
    await shell.finish()
    assert.equal((await docker.inspect('left')).State.Running, true)
    const back = await onTerminal(docker, 'attach', 'left')
    back.write('\necho $x after; exit 4\n')
    await back.shows(/before after/)
    assert.equal((await back.finish()).code, 4)
    await docker.must('rm', 'left')
  })

  test('detach keys of one’s own are obeyed', async () => {
    const { docker } = bench()
    const shell = await onTerminal(docker, 'run', '-it', '--detach-keys', 'ctrl-a,d', '--name', 'keyed', 'busybox', 'sh')
    await shell.shows(/# /)
    shell.write('\x01d')
    await shell.finish()
    assert.equal((await docker.inspect('keyed')).State.Running, true)
    await docker.must('rm', '-f', 'keyed')
  })

  test('exec -it opens a second shell on a terminal of its own', async () => {
    const { docker } = bench()
    await docker.must('run', '-d', '--name', 'host', 'busybox', 'sleep', '100')
    const shell = await onTerminal(docker, 'exec', '-it', 'host', 'sh')
    await shell.shows(/# /)
    await shell.resize(40, 90)
    shell.write('sleep 0.5; stty size; tty; exit 8\n')
    await shell.shows(/40 90\r\n\/dev\/pts\/0/)
    assert.equal((await shell.finish()).code, 8)
    await docker.must('rm', '-f', 'host')
  })

  test('logs of a container with a terminal are what the terminal showed', async () => {
    const { docker } = bench()
    await docker.must('run', '-t', '--name', 'tty', 'busybox', 'sh', '-c', 'echo one; echo two >&2')
    assert.equal((await docker('logs', 'tty')).stdout, 'one\r\ntwo\r\n')
    await docker.must('rm', 'tty')
  })
})
