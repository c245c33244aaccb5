import assert from 'node:assert/strict'

import type { Built, Row } from './row.ts'

const labels =
  (expected: Readonly<Record<string, string>>) =>
  ({ config }: Built) =>
    assert.deepEqual(config.labels, expected)
const lastRun =
  (...args: readonly string[]) =>
  ({ runs }: Built) =>
    assert.deepEqual(runs.at(-1)?.args, args)
const shell = (text: string) => lastRun('/bin/sh', '-c', text)
const from = (...lines: readonly string[]) => ['FROM base', ...lines].join('\n')

const DIRECTIVES: readonly Row[] = [
  {
    area: 'directives',
    item: '`# syntax=`',
    state: 'differs',
    note: 'a hint about the version: nothing that it names is run',
    dockerfile: '# syntax=evil/frontend\nFROM scratch',
    expect: ({ runs }) => assert.equal(runs.length, 0),
  },
  {
    area: 'directives',
    item: '`# escape=` with a backslash or a backtick',
    state: 'yes',
    dockerfile: '# escape=`\nFROM base\nRUN a `\n  b\nLABEL x=c:\\',
    expect: ({ config, runs }) => assert.deepEqual([config.labels, runs[0]?.args.at(-1)], [{ x: 'c:\\' }, 'a   b']),
  },
  {
    area: 'directives',
    item: '`# check=skip=…;error=true`',
    state: 'yes',
    dockerfile: '# check=skip=WorkdirRelativePath\nFROM base\nWORKDIR x',
    expect: ({ warnings }) => assert.deepEqual(warnings, []),
  },
  {
    area: 'directives',
    item: '`# check=error=true` ends the build',
    state: 'yes',
    dockerfile: '# check=error=true\nFROM base\nWORKDIR x',
    error: { code: 'build.check_failed', says: /^Dockerfile:3/ },
  },
  {
    area: 'directives',
    item: 'each once',
    state: 'yes',
    dockerfile: '# escape=`\n# escape=`\nFROM base',
    error: { code: 'dockerfile.invalid', says: /twice/ },
  },
  {
    area: 'directives',
    item: 'only before the first comment, instruction or empty line',
    state: 'yes',
    dockerfile: '# a comment\n# escape=`\nFROM base\nRUN a \\\n b',
    expect: shell('a  b'),
  },
  {
    area: 'directives',
    item: 'a byte order mark and a `#!` first line',
    state: 'yes',
    dockerfile: '\uFEFF#!/usr/bin/env docker\n# ESCAPE=`\nFROM base\nRUN a`\nb',
    expect: shell('ab'),
  },
]

const SYNTAX: readonly Row[] = [
  {
    area: 'syntax',
    item: 'continued lines, with comments and empty lines between',
    state: 'yes',
    note: 'empty ones are warned of',
    dockerfile: from('RUN a \\', '  # why', '', '  b'),
    expect: (built) => {
      shell('a   b')(built)
      assert.deepEqual(built.warnings, ['NoEmptyContinuation:2'])
    },
  },
  {
    area: 'syntax',
    item: 'leading white space, any case of keywords',
    state: 'yes',
    dockerfile: '  from base\n\trun x',
    expect: shell('x'),
  },
  {
    area: 'syntax',
    item: 'lines that end with CR LF',
    state: 'yes',
    dockerfile: 'FROM base\r\nRUN a \\\r\n  b\r\nLABEL x=y\r\n',
    expect: ({ config, runs }) => assert.deepEqual([config.labels, runs[0]?.args.at(-1)], [{ x: 'y' }, 'a   b']),
  },
  {
    area: 'syntax',
    item: 'JSON form, and the shell form where the JSON is bad',
    state: 'yes',
    dockerfile: from('RUN ["a", "b c"]', "CMD ['x']"),
    expect: (built) => {
      lastRun('a', 'b c')(built)
      assert.deepEqual(built.config.cmd, ['/bin/sh', '-c', "['x']"])
    },
  },
  {
    area: 'syntax',
    item: 'an unknown instruction or flag',
    state: 'refused',
    note: 'with the known ones',
    dockerfile: from('RUNN x'),
    error: { code: 'dockerfile.unknown_instruction', says: /^Dockerfile:2: .*RUNN/ },
  },
  {
    area: 'syntax',
    item: 'flags that an instruction does not have',
    state: 'refused',
    dockerfile: from('RUN --mont=x y'),
    error: { code: 'dockerfile.invalid', says: /--mont/ },
  },
]

const HEREDOCS: readonly Row[] = [
  {
    area: 'here-documents',
    item: '`RUN <<EOF` for the shell of the stage',
    state: 'yes',
    dockerfile: from('SHELL ["/bin/bash", "-ec"]', 'RUN <<EOF', 'echo $HOME', 'EOF'),
    expect: lastRun('/bin/bash', '-ec', 'echo $HOME\n'),
  },
  {
    area: 'here-documents',
    item: '`RUN <<EOF` with a `#!` line',
    state: 'yes',
    dockerfile: from('RUN <<EOF', '#!/usr/bin/python3', 'print(1)', 'EOF'),
    expect: ({ runs }) => assert.match(runs[0]?.args[0] ?? '', /^\/dev\/build-script-/),
  },
  {
    area: 'here-documents',
    item: '`RUN <<EOF bash`, several in a line, `<<-`, quoted words',
    state: 'yes',
    dockerfile: from('RUN cat <<-A <<"B"', '\tone', '\tA', '$two', 'B'),
    expect: shell('cat <<-A <<"B"\n\tone\n\tA\n$two\nB'),
  },
  {
    area: 'here-documents',
    item: '`COPY <<name` makes a file, expanded unless quoted',
    state: 'yes',
    dockerfile: 'FROM scratch\nARG V=1\nCOPY <<a <<"b" <<-c /d/\nv=$V\na\nv=$V\nb\n\tx\n\tc\n',
    expect: ({ files }) => assert.deepEqual(files, { d: null, 'd/a': 'v=1\n', 'd/b': 'v=$V\n', 'd/c': 'x\n' }),
  },
  {
    area: 'here-documents',
    item: 'line ends within',
    state: 'differs',
    note: 'CR LF becomes LF, so that scripts run',
    dockerfile: 'FROM scratch\r\nCOPY <<a /\r\nx\r\na\r\n',
    expect: ({ files }) => assert.deepEqual(files, { a: 'x\n' }),
  },
  {
    area: 'here-documents',
    item: 'one that is not closed',
    state: 'refused',
    dockerfile: from('RUN <<EOF', 'x'),
    error: { code: 'dockerfile.invalid', says: /not closed/ },
  },
]

const EXPANSION: readonly Row[] = [
  {
    area: 'expansion',
    item: '`$x ${x} ${x:-w} ${x-w} ${x:+w} ${x+w}`',
    state: 'yes',
    dockerfile: from('ARG E=', 'ARG S=s', 'LABEL a=$S b=${S} c=${E:-w} d=${E-w} e=${S:+w} f=${E+w} g=${N:-$S}'),
    expect: labels({ a: 's', b: 's', c: 'w', d: '', e: 'w', f: 'w', g: 's' }),
  },
  {
    area: 'expansion',
    item: '`${x:?e} ${x?e}`',
    state: 'yes',
    dockerfile: from('LABEL a=${N:?missing}'),
    error: { code: 'dockerfile.expansion', says: /N: missing/ },
  },
  {
    area: 'expansion',
    item: '`# ## % %% / //` patterns',
    state: 'yes',
    dockerfile: from('ARG P=a.b.c', 'LABEL a=${P#*.} b=${P##*.} c=${P%.*} d=${P%%.*} e=${P/./-} f=${P//./-}'),
    expect: labels({ a: 'b.c', b: 'c', c: 'a.b', d: 'a', e: 'a-b.c', f: 'a-b-c' }),
  },
  {
    area: 'expansion',
    item: 'escapes and quotes',
    state: 'yes',
    dockerfile: from('ARG A=1', `LABEL a=\\$A b='$A' c="$A x" d=a\\ b`),
    expect: labels({ a: '$A', b: '$A', c: '1 x', d: 'a b' }),
  },
  {
    area: 'expansion',
    item: 'values are those from before the instruction',
    state: 'yes',
    dockerfile: from('ENV a=1', 'ENV a=2 b=$a'),
    expect: ({ config }) => assert.deepEqual(config.env.slice(-2), ['a=2', 'b=1']),
  },
  {
    area: 'expansion',
    item: 'in EXPOSE, STOPSIGNAL, USER, VOLUME, WORKDIR, flag values',
    state: 'yes',
    dockerfile: from(
      'ARG P=80 S=SIGINT U=web D=/d',
      'EXPOSE $P',
      'STOPSIGNAL $S',
      'USER $U',
      'VOLUME $D',
      'WORKDIR $D/x',
      'COPY --chown=$U a $D/',
    ),
    files: { a: '' },
    expect: async ({ config, entry }) => {
      assert.deepEqual(
        [config.exposedPorts, config.stopSignal, config.user, config.volumes, config.workingDir],
        [['80/tcp'], 'SIGINT', 'web', ['/d'], '/d/x'],
      )
      assert.equal((await entry('d/a'))?.uid, 101)
    },
  },
  {
    area: 'expansion',
    item: 'never in the text of RUN, CMD and ENTRYPOINT',
    state: 'yes',
    dockerfile: from('ARG A=1', 'RUN echo $A', 'CMD ["$A"]'),
    expect: (built) => {
      shell('echo $A')(built)
      assert.deepEqual(built.config.cmd, ['$A'])
    },
  },
]

/** The text itself: directives, lines, here-documents, variables. */
export const LANGUAGE_ROWS: readonly Row[] = [...DIRECTIVES, ...SYNTAX, ...HEREDOCS, ...EXPANSION]
