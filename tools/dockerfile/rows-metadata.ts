import assert from 'node:assert/strict'

import type { Built, Row } from './row.ts'

const from = (...lines: readonly string[]) => ['FROM base', ...lines].join('\n')
const scratch = (...lines: readonly string[]) => ['FROM scratch', ...lines].join('\n')
const has =
  (expected: Readonly<Record<string, string | null>>) =>
  ({ files }: Built) =>
    assert.deepEqual(files, expected)
const TREE = { 'a.txt': 'A', 'b.md': 'B', 'd/e/f.txt': 'F', 'd/g.md': 'G' }

/** What the image says of itself, and what the context leaves out. */
const METADATA: readonly Row[] = [
  {
    area: 'metadata',
    item: 'CMD, ENTRYPOINT; ENTRYPOINT clears an inherited CMD',
    state: 'yes',
    dockerfile: 'FROM other\nENTRYPOINT ["e"]',
    bases: { other: { config: { cmd: ['c'] } } },
    expect: ({ config }) => assert.deepEqual([config.entrypoint, config.cmd], [['e'], null]),
  },
  {
    area: 'metadata',
    item: 'ENV and LABEL, both forms',
    state: 'yes',
    dockerfile: scratch('ENV A b c', 'ENV D=e F="g h"', 'LABEL "i j"=k l m'.replace(' l m', '')),
    expect: ({ config }) => assert.deepEqual([config.env, config.labels], [['A=b c', 'D=e', 'F=g h'], { 'i j': 'k' }]),
  },
  {
    area: 'metadata',
    item: 'EXPOSE: ranges, tcp, udp, sctp',
    state: 'yes',
    dockerfile: scratch('EXPOSE 80 53/udp 7-8/sctp'),
    expect: ({ config }) => assert.deepEqual(config.exposedPorts, ['53/udp', '7/sctp', '8/sctp', '80/tcp']),
  },
  {
    area: 'metadata',
    item: 'VOLUME; changes after it stay',
    state: 'yes',
    dockerfile: scratch('VOLUME /v', 'COPY a /v/'),
    files: { a: 'x' },
    expect: ({ files, config }) => assert.deepEqual([files['v/a'], config.volumes], ['x', ['/v']]),
  },
  {
    area: 'metadata',
    item: 'USER, WORKDIR (relative ones chain, the directory is made)',
    state: 'yes',
    dockerfile: from('USER web', 'WORKDIR /a', 'WORKDIR b'),
    expect: async ({ config, entry }) => {
      assert.equal(config.workingDir, '/a/b')
      assert.equal((await entry('a/b'))?.uid, 101)
    },
  },
  {
    area: 'metadata',
    item: 'STOPSIGNAL, SHELL, MAINTAINER',
    state: 'yes',
    dockerfile: scratch('STOPSIGNAL 9', 'SHELL ["s"]', 'MAINTAINER me', 'CMD x'),
    expect: ({ config, image }) => assert.deepEqual([config.stopSignal, config.cmd, image.author], ['9', ['s', 'x'], 'me']),
  },
  {
    area: 'metadata',
    item: 'HEALTHCHECK with all its timing, and NONE',
    state: 'yes',
    dockerfile: scratch('HEALTHCHECK --interval=5s --timeout=1s --start-period=1m --start-interval=2s --retries=3 CMD x'),
    expect: ({ config }) =>
      assert.deepEqual(config.healthcheck, {
        test: ['CMD-SHELL', 'x'],
        intervalMs: 5000,
        timeoutMs: 1000,
        startPeriodMs: 60_000,
        startIntervalMs: 2000,
        retries: 3,
      }),
  },
  {
    area: 'metadata',
    item: 'ONBUILD: fires once, with `COPY --from`',
    state: 'yes',
    dockerfile: 'FROM other',
    bases: { other: { config: { onBuild: ['COPY --from=more /m /', 'RUN x'] } }, more: { files: { m: 'M' } } },
    expect: ({ files, runs, config }) => assert.deepEqual([files['m'], runs.length, config.onBuild], ['M', 1, []]),
  },
  {
    area: 'metadata',
    item: 'ONBUILD ONBUILD, FROM, MAINTAINER',
    state: 'refused',
    dockerfile: scratch('ONBUILD ONBUILD RUN x'),
    error: { code: 'dockerfile.invalid', says: /ONBUILD/ },
  },
]

const IGNORE: readonly Row[] = [
  {
    area: '.dockerignore',
    item: 'Go patterns, `**`, `!`, comments; the last match wins',
    state: 'yes',
    dockerfile: scratch('COPY . /'),
    files: { ...TREE, '.dockerignore': '# all\n**\n!d\nd/**/*.txt\n' },
    expect: has({ d: null, 'd/e': null, 'd/g.md': 'G' }),
  },
  {
    area: '.dockerignore',
    item: '`<Dockerfile>.dockerignore` goes first',
    state: 'yes',
    dockerfile: scratch('COPY . /'),
    files: { x: '', y: '', '.dockerignore': 'x', 'Dockerfile.dockerignore': '*\n!x' },
    expect: has({ x: '' }),
  },
  {
    area: '.dockerignore',
    item: 'the Dockerfile may be ignored, and is read',
    state: 'yes',
    dockerfile: scratch('COPY . /'),
    files: { x: '', '.dockerignore': 'Dockerfile\n.dockerignore' },
    expect: has({ x: '' }),
  },
]

export const METADATA_ROWS: readonly Row[] = [...METADATA, ...IGNORE]
