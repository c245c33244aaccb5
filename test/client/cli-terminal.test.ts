import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { run, type Running, spawnProgram } from '../support/processes.ts'
import { type Cli, cliBench } from './cli-bench.ts'

/** Words of the tests' own, none of which a shell would read otherwise. */
const PLAIN = /^[\w./=:,;$" -]+$/

interface Terminal extends Running {
  resize(rows: number, columns: number): Promise<void>
  /** How the terminal is set, as stty(1) writes it. */
  settings(): Promise<string>
}

/** What a test that failed left running must not keep the others waiting. */
const running: Running[] = []
after(() => {
  for (const one of running) if (one.code() === null) one.kill('SIGKILL')
})

/** Runs the command line on a pseudo terminal of 24 rows and 80 columns, and says `code N` and waits when it has ended. */
async function onTerminal(cli: Pick<Cli, 'launcher' | 'env'>, ...args: readonly string[]): Promise<Terminal> {
  for (const word of args) if (!PLAIN.test(word)) throw new Error(`the word ${word} needs quoting`)
  const words = [cli.launcher, ...args].map((word) => `'${word}'`).join(' ')
  const terminal = spawnProgram(
    'script',
    ['-qec', `trap : INT; stty rows 24 cols 80; tty; ${words}; echo "code $?"; read x`, '/dev/null'],
    cli.env,
  )
  const [, tty = ''] = await terminal.shows(/(\/dev\/pts\/\d+)\r\n/)
  running.push(terminal)
  const stty = async (...settings: readonly string[]) => (await run('stty', ['-F', tty, ...settings])).stdout
  return {
    ...terminal,
    resize: async (rows, columns) => void (await stty('rows', String(rows), 'cols', String(columns))),
    settings: async () => await stty('-a'),
  }
}

const bench = cliBench()

describe('glovebox on a terminal', () => {
  test('run -it has the size of the terminal, follows it, and gives it back as it was', async () => {
    const shell = await onTerminal(bench().cli, 'run', '--rm', '-it', 'busybox', 'sh')
    await shell.shows(/# /)
    shell.write('stty size; tty\n')
    await shell.shows(/24 80\r\n\/dev\/pts\/0\r\n/)
    assert.match(await shell.settings(), /-icanon/)
    await shell.resize(33, 111)
    shell.write('sleep 0.3; stty size; exit 6\n')
    await shell.shows(/33 111/)
    await shell.shows(/code 6/)
    assert.match(await shell.settings(), / icanon/)
    shell.write('\n')
    await shell.finish()
  })

  test('Ctrl-C is a key of the process', async () => {
    const words = ['run', '--rm', '-it', 'busybox', 'sh', '-c', 'trap "exit 77" INT; echo begun; sleep 100']
    const shell = await onTerminal(bench().cli, ...words)
    await shell.shows(/begun/)
    shell.write('\x03')
    await shell.shows(/code 77/)
    shell.write('\n')
    await shell.finish()
  })

  test('Ctrl-C ends a run without a terminal inside by its signal', async () => {
    const words = ['run', '--rm', 'busybox', 'sh', '-c', 'trap "exit 78" INT; echo begun; while :; do sleep 0.05; done']
    const shell = await onTerminal(bench().cli, ...words)
    await shell.shows(/begun/)
    shell.write('\x03')
    await shell.shows(/code 78/)
    shell.write('\n')
    await shell.finish()
  })

  test('the keys detach, attach comes back, and keys of one’s own take their place', async () => {
    const { cli } = bench()
    const shell = await onTerminal(cli, 'run', '-it', '--name', 'left', 'busybox', 'sh')
    await shell.shows(/# /)
    shell.write('x=before\n')
    await shell.shows(/before/)
    shell.write('\x10\x11')
    await shell.shows(/code 0/)
    shell.write('\n')
    await shell.finish()
    const back = await onTerminal(cli, 'attach', '--detach-keys', 'ctrl-a,d', 'left')
    back.write('\necho $x after\n')
    await back.shows(/before after/)
    back.write('\x01d')
    await back.shows(/code 0/)
    back.write('\n')
    await back.finish()
    assert.equal(await cli.must('inspect', '-f', '{{.State.Running}}', 'left'), 'true')
    await cli.must('rm', '-f', 'left')
  })

  test('start -ai goes on where a container was left, and exec -it opens a second shell', async () => {
    const { cli } = bench()
    await cli.must('create', '-it', '--name', 'again', 'busybox', 'sh')
    const shell = await onTerminal(cli, 'start', '-ai', 'again')
    await shell.shows(/# /)
    const second = await onTerminal(cli, 'exec', '-it', 'again', 'sh')
    await second.shows(/# /)
    second.write('tty; exit 8\n')
    await second.shows(/code 8/)
    second.write('\n')
    await second.finish()
    shell.write('exit 5\n')
    await shell.shows(/code 5/)
    shell.write('\n')
    await shell.finish()
    await cli.must('rm', 'again')
  })

  test('stats draws a table again and again until Ctrl-C, and load a bar', async () => {
    const { cli, daemon } = bench()
    const stats = await onTerminal(cli, 'stats', 'web')
    await stats.shows(/web +\d+\.\d\d%[^]*web +\d+\.\d\d%/)
    stats.write('\x03')
    await stats.shows(/code 0/)
    stats.write('\n')
    await stats.finish()
    const archive = join(daemon.directory, 'busybox-again.tar')
    await cli.must('save', '-o', archive, 'busybox')
    const load = await onTerminal(cli, 'load', '-i', archive)
    await load.shows(/\[=+ *\] +\d+%/)
    await load.shows(/code 0/)
    load.write('\n')
    await load.finish()
    const lines = await cli('load', '-i', archive)
    assert.equal(lines.code, 0)
    assert.ok(!lines.stderr.includes('\u001b'), lines.stderr)
  })

  test('login asks on the terminal and shows no password', async () => {
    const { cli } = bench()
    const asking = await onTerminal(cli, 'login', 'registry.invalid')
    await asking.shows(/Name at registry\.invalid: /)
    asking.write('me\r')
    await asking.shows(/Password: /)
    asking.write('secret\r')
    await asking.shows(/code 1/, 60_000)
    assert.ok(asking.output().includes('me\r\n') && !asking.output().includes('secret'))
    asking.write('\n')
    await asking.finish()
  })

  test('colours are for terminals that want them', async () => {
    const { cli } = bench()
    const plain = await onTerminal({ launcher: cli.launcher, env: { ...cli.env, NO_COLOR: '1' } }, 'nosuch')
    await plain.shows(/code 2/)
    assert.ok(!plain.output().includes('\u001b[31m'))
    plain.write('\n')
    await plain.finish()
    const coloured = await onTerminal(cli, 'nosuch')
    await coloured.shows(/code 2/)
    assert.ok(coloured.output().includes('\u001b[31m'))
    coloured.write('\n')
    await coloured.finish()
  })
})

describe('glovebox in shells', () => {
  let path = ''
  before(async () => {
    const { cli, daemon } = bench()
    symlinkSync(cli.launcher, join(daemon.directory, 'glovebox'))
    path = `${daemon.directory}:${process.env['PATH']}`
    for (const shell of ['bash', 'zsh', 'fish'])
      writeFileSync(join(daemon.directory, `completion.${shell}`), await cli.must('completion', shell))
  })
  const script = (shell: string) => join(bench().daemon.directory, `completion.${shell}`)
  const shell = async (program: string, ...words: readonly string[]) => {
    const { code, stdout, stderr } = await run(program, words, { env: { ...bench().cli.env, PATH: path } })
    assert.equal(code, 0, stderr)
    return stdout
  }

  test('bash completes commands, flags, values and names', async () => {
    const program = `source ${script('bash')}
try() {
  COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=($1)
  case $1 in *' ') COMP_WORDS+=('') ;; esac
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _glovebox
  echo "\${COMPREPLY[*]}"
}
try 'glovebox sto'; try 'glovebox stop '; try 'glovebox run --pull=a'; try 'glovebox inspect busybox:l'; try 'glovebox volume '`
    assert.deepEqual((await shell('bash', '-c', program)).split('\n').slice(0, 5), [
      'stop',
      'web',
      'always',
      'latest',
      'create inspect list ls prune remove rm',
    ])
    assert.match(await shell('bash', '-c', `source ${script('bash')}; complete -p glovebox`), /-F _glovebox glovebox/)
  })

  test('fish completes with descriptions', async () => {
    const complete = async (line: string) =>
      await shell('fish', '--no-config', '-c', `source ${script('fish')}; complete -C '${line}'`)
    assert.match(
      await complete('glovebox r'),
      /^rename\tGive a container another name\n(.*\n)*run\tCreate and start a container$/m,
    )
    assert.match(await complete('glovebox stop '), /^web\tbusybox, Up/)
    assert.match(await complete('glovebox network create --int'), /^--internal\t/)
  })

  test('zsh completes as one types', async () => {
    const { daemon } = bench()
    const file = join(daemon.directory, 'try.zsh')
    // A line editor of its own in a pseudo terminal; what it shows is read until the name is there, or in vain.
    writeFileSync(
      file,
      `zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z 'autoload -U compinit; compinit -u -D; source ${script('zsh')}; unsetopt beep; stty cols 200; echo lo""aded'
until_shows() {
  local text part i
  for i in {1..200}; do
    while zpty -r -t z part; do text+=$part; done
    case $text in *$1*) print -r -- "$text"; return ;; esac
    sleep 0.05
  done
  print -r -- "not shown: $text"
}
until_shows loaded >/dev/null
zpty -n -w z $'glovebox sto\t \t'
until_shows web
zpty -d z
`,
    )
    const shown = await shell('zsh', '-f', file)
    assert.match(shown, /stop[^]{0,40}web/)
  })
})
