import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { expandWord, parseDockerfile } from '#oci/dockerfile'

import { commitChanges } from './commit-changes.ts'

const read = (lines: readonly string[]) => parseDockerfile(lines.join('\n'), { file: 'body' }).instructions
const expand = (text: string) =>
  expandWord(text, { place: { file: 'body', line: 1 }, escape: '\\', lookup: () => 'a variable of the container' })

test('a body without anything changes nothing, nor does what only a container can be', () => {
  assert.deepEqual(commitChanges({}), [])
  assert.deepEqual(commitChanges({ Hostname: 'x', Tty: true, Image: 'y', HostConfig: { Memory: 1 } }), [])
})

test('a configuration becomes the lines that say the same', () => {
  const lines = commitChanges({
    Cmd: ['serve', 'two words'],
    Entrypoint: '/init',
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    User: 'app',
    WorkingDir: '/srv',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN true'],
    Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost'], Retries: 2 },
  })
  assert.deepEqual(lines, [
    'EXPOSE 80/tcp',
    'VOLUME ["/data"]',
    'USER app',
    'WORKDIR /srv',
    'STOPSIGNAL SIGINT',
    'ENTRYPOINT ["/init"]',
    'CMD ["serve","two words"]',
    'ONBUILD RUN true',
    'HEALTHCHECK --interval=30000ms --timeout=30000ms --start-interval=5000ms --retries=2 CMD curl -f http://localhost',
  ])
  assert.equal(read(lines).length, lines.length)
  assert.deepEqual(commitChanges({ Healthcheck: { Test: ['NONE'] } }), ['HEALTHCHECK NONE'])
})

test('property: values come through as they are, or are refused by name', () => {
  const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/)
  fc.assert(
    fc.property(fc.dictionary(name, fc.string()), fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (values, cmd) => {
      const Env = Object.entries(values).map(([key, value]) => `${key}=${value}`)
      try {
        for (const instruction of read(commitChanges({ Env, Labels: values, Cmd: cmd })))
          if (instruction.kind === 'env' || instruction.kind === 'label')
            for (const { name: key, value } of instruction.pairs) assert.equal(expand(value), values[expand(key)])
          else if (instruction.kind === 'cmd') assert.deepEqual(instruction.command, { form: 'exec', args: cmd })
          else assert.fail(instruction.kind)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'docker.field_unsupported', String(error))
      }
    }),
  )
})
