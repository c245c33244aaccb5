import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DockerfileParser } from 'dockerfile-ast'
import fc from 'fast-check'

import { GloveboxError } from '#base'

import { parseDockerfile, parseTrigger, type Instruction } from './index.ts'

function only<K extends Instruction['kind']>(kind: K, text: string): Extract<Instruction, { kind: K }> {
  const [instruction] = parseDockerfile(text).instructions
  assert.equal(instruction?.kind, kind)
  return instruction as Extract<Instruction, { kind: K }>
}

test('directives are read only at the top, each once', () => {
  const read = parseDockerfile(
    '\uFEFF#!/usr/bin/env builder\n# Syntax = docker/dockerfile:1\n#escape=`\n# note\n# check=skip=all\nFROM a',
  )
  assert.deepEqual([read.syntax, read.escape, read.check], ['docker/dockerfile:1', '`', undefined])
  assert.throws(() => parseDockerfile('# escape=\\\n# escape=`\nFROM a'), { message: /^Dockerfile:2: .*twice/ })
  assert.throws(() => parseDockerfile('# escape=x\nFROM a'), { code: 'dockerfile.invalid' })
})

test('continued lines are joined, comments and empty lines inside them dropped', () => {
  const read = parseDockerfile('FROM a\n  RUN one && \\\n  # why\n\n    two \\  \n  three\n\nCMD x\\\\\nUSER u')
  const run = read.instructions[1]
  assert.equal(run?.kind === 'run' && run.command.form === 'shell' ? run.command.text : '', 'one &&     two   three')
  assert.deepEqual(run?.lines, { first: 2, last: 6 })
  assert.equal(read.instructions.length, 4)
  assert.equal(read.warnings.length, 1)
  assert.equal(read.warnings[0]?.place.line, 2)
})

test('the escape directive changes the continuation character', () => {
  const read = parseDockerfile('# escape=`\nFROM a\nRUN dir c:\\ `\n  b')
  assert.equal(read.instructions[1]?.source, 'RUN dir c:\\   b')
})

test('FROM takes a platform and a stage name in lower case', () => {
  const from = only('from', 'FROM --platform=$BUILDPLATFORM Node:20 as Build')
  assert.deepEqual([from.image, from.platform, from.stage], ['Node:20', '$BUILDPLATFORM', 'build'])
  for (const bad of ['FROM', 'FROM a b', 'FROM a AS', 'FROM a AS 1x', 'FROM a AS b c'])
    assert.throws(() => parseDockerfile(bad), bad)
})

test('RUN takes here-documents, several on a line', () => {
  const run = only('run', 'RUN cat <<A >x && cat <<-"B"\n$one\n  two\nA\n\t\tthree\n\tB\n')
  assert.deepEqual(
    run.heredocs.map((heredoc) => [heredoc.name, heredoc.isExpanded, heredoc.content]),
    [
      ['A', true, '$one\n  two\n'],
      ['B', false, 'three\n'],
    ],
  )
  assert.equal(run.heredocs[1]?.source, '\t\tthree\n\tB')
  assert.equal(run.lines.last, 6)
  assert.throws(() => parseDockerfile('RUN <<EOF\nx\n'), { message: /Dockerfile:1: .*"EOF" is not closed/ })
})

test('a JSON command or a shift operator opens no here-document', () => {
  assert.equal(only('run', 'RUN ["cat", "<<EOF"]\nUSER a').heredocs.length, 0)
  assert.equal(only('run', 'RUN echo $((1 << 2)) <<<x').heredocs.length, 0)
})

test('COPY names its sources, here-documents among them', () => {
  const copy = only('copy', 'COPY --from=b --chown=1:2 --chmod=u+x --link --exclude=*.md --exclude=x a <<f /d/\nhello\nf')
  assert.deepEqual(
    [copy.from, copy.chown, copy.chmod, copy.isLink, copy.excludes, copy.destination],
    ['b', '1:2', 'u+x', true, ['*.md', 'x'], '/d/'],
  )
  assert.deepEqual(
    copy.sources.map((source) => (source.kind === 'path' ? source.path : source.heredoc.content)),
    ['a', 'hello\n'],
  )
  assert.deepEqual(only('copy', 'COPY ["a b", "c"]').sources, [{ kind: 'path', path: 'a b' }])
  assert.throws(() => parseDockerfile('COPY a'), { code: 'dockerfile.invalid' })
})

test('unknown, doubled and empty flags are refused by name', () => {
  assert.throws(() => parseDockerfile('COPY --form=b a b'), { message: /COPY has no flag --form/, code: 'dockerfile.invalid' })
  assert.throws(() => parseDockerfile('COPY --from=b --from=c a b'), { message: /--from is given twice/ })
  assert.throws(() => parseDockerfile('COPY --chown a b'), { message: /--chown has no value/ })
  assert.throws(() => parseDockerfile('USER --x=1 a'), { message: /USER has no flag --x/ })
})

test('mounts of RUN are read with their aliases', () => {
  const run = only('run', 'RUN --mount=type=cache,dst=/c,rw=false,sharing=locked --mount=src=.,target=/s,rw --network=none make')
  assert.deepEqual(run.mounts[0], {
    type: 'cache',
    options: new Map([
      ['target', '/c'],
      ['sharing', 'locked'],
      ['readonly', 'true'],
    ]),
  })
  assert.deepEqual(run.mounts[1], {
    type: 'bind',
    options: new Map([
      ['source', '.'],
      ['target', '/s'],
      ['readwrite', 'true'],
    ]),
  })
  assert.equal(run.network, 'none')
  assert.throws(() => parseDockerfile('RUN --mount=type=nfs x'), { message: /type "nfs" is not known/ })
  assert.throws(() => parseDockerfile('RUN --mount=type=tmpfs,id=1 x'), { message: /no option "id"/ })
})

test('ENV and LABEL take both forms, ARG several names', () => {
  assert.deepEqual(only('env', 'ENV a=1 b="x y" c=x\\ y').pairs, [
    { name: 'a', value: '1' },
    { name: 'b', value: '"x y"' },
    { name: 'c', value: 'x\\ y' },
  ])
  assert.deepEqual(only('env', 'ENV a b c=d').pairs, [{ name: 'a', value: 'b c=d' }])
  assert.throws(() => parseDockerfile('ENV a=1 b'), { message: /"b" is not NAME=VALUE/ })
  assert.deepEqual(only('arg', 'ARG a b=1').args, [
    { name: 'a', value: undefined },
    { name: 'b', value: '1' },
  ])
})

test('HEALTHCHECK takes durations in milliseconds', () => {
  const check = only('healthcheck', 'HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f x')
  assert.deepEqual(
    [check.probe?.intervalMs, check.probe?.retries, check.probe?.command],
    [90_000, 3, { form: 'shell', text: 'curl -f x' }],
  )
  assert.equal(only('healthcheck', 'HEALTHCHECK NONE').probe, undefined)
  assert.throws(() => parseDockerfile('HEALTHCHECK --interval=soon CMD x'), { message: /"soon" is not a duration/ })
})

test('ONBUILD keeps a checked trigger with its here-documents', () => {
  const onbuild = only('onbuild', 'ONBUILD COPY --chown=1 <<f /x\nhi\nf')
  assert.equal(onbuild.trigger, 'COPY --chown=1 <<f /x\nhi\nf')
  const again = parseTrigger(onbuild.trigger, 'onbuild')
  assert.ok(again.kind === 'copy' && again.sources[0]?.kind === 'heredoc' && again.sources[0].heredoc.content === 'hi\n')
  for (const bad of ['ONBUILD', 'ONBUILD ONBUILD RUN x', 'ONBUILD FROM a', 'ONBUILD WHAT x'])
    assert.throws(() => parseDockerfile(bad), bad)
})

test('a JSON form that is broken falls back to the shell, one with numbers is refused', () => {
  assert.deepEqual(only('cmd', 'CMD ["a", "b"]').command, { form: 'exec', args: ['a', 'b'] })
  assert.deepEqual(only('cmd', "CMD ['a']").command, { form: 'shell', text: "['a']" })
  assert.throws(() => parseDockerfile('CMD ["a", 1]'), { message: /not a string/ })
  assert.throws(() => parseDockerfile('SHELL /bin/sh'), { hint: /JSON form/ })
})

test('an unknown instruction is refused with its line', () => {
  assert.throws(() => parseDockerfile('FROM a\n\nRUNN x', { file: 'app/Dockerfile' }), {
    code: 'dockerfile.unknown_instruction',
    message: 'app/Dockerfile:3: unknown instruction "RUNN"',
  })
  assert.throws(() => parseDockerfile('# nothing'), { code: 'dockerfile.empty' })
})

const keyword = fc.constantFrom(
  'FROM',
  'RUN',
  'COPY',
  'ADD',
  'ENV',
  'ARG',
  'LABEL',
  'ONBUILD',
  'HEALTHCHECK',
  'CMD',
  'VOLUME',
  'X',
)
const body = fc.string({
  unit: fc.constantFrom('a', ' ', '=', '"', "'", '\\', '\n', '<<E', '\nE\n', '--x', '[', ']', '$', '{', '}', ',', '#', '\t'),
})

test('any text is a Dockerfile or an error that names its line', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keyword, body), { maxLength: 6 }), fc.string(), (parts, tail) => {
      try {
        parseDockerfile(parts.map(([word, text]) => `${word} ${text}`).join('\n') + tail)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code.startsWith('dockerfile.'), String(error))
        assert.match(error.message, /^Dockerfile:\d+: /)
      }
    }),
    { numRuns: 500 },
  )
})

test('huge Dockerfiles are read or refused in bounded time', () => {
  const started = process.cpuUsage()
  assert.throws(() => parseDockerfile('RUN x\n'.repeat(100_000)), { code: 'dockerfile.too_large' })
  assert.throws(() => parseDockerfile('x'.repeat(5_000_000)), { code: 'dockerfile.too_large' })
  parseDockerfile(`FROM a\nRUN ${'x \\\n'.repeat(100_000)}y`)
  parseDockerfile(`FROM a\nRUN <<E\n${'y\n'.repeat(500_000)}E\n`)
  parseDockerfile(`ENV a=${'"'.repeat(400_000)}`)
  parseDockerfile(`RUN --mount=${'a,'.repeat(100_000)}target=/x y`.replaceAll('a,', ''))
  assert.ok(process.cpuUsage(started).user < 3000_000)
})

const REAL = [
  `# syntax=docker/dockerfile:1
ARG NODE_VERSION=20
FROM node:\${NODE_VERSION}-alpine AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci

FROM deps AS build
COPY . .
ENV NODE_ENV=production
RUN npm run build \\
    # keep only what runs
    && npm prune --omit=dev

FROM gcr.io/distroless/nodejs20
LABEL org.opencontainers.image.title="shop"
COPY --from=build --chown=1000:1000 /app/dist /app/dist
EXPOSE 8080/tcp
USER 1000
HEALTHCHECK --interval=30s CMD ["node", "health.js"]
ENTRYPOINT ["node"]
CMD ["/app/dist/main.js"]
`,
  `FROM golang:1.22 as builder
ARG VERSION
WORKDIR /src
ADD go.mod go.sum /src/
RUN go mod download
ADD . /src
RUN CGO_ENABLED=0 go build -ldflags "-X main.version=\${VERSION}" -o /out/server ./cmd/server
FROM scratch
VOLUME /data
STOPSIGNAL SIGTERM
COPY --from=builder /out/server /server
ENTRYPOINT ["/server"]
`,
  `FROM debian:bookworm-slim
MAINTAINER someone
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN <<EOF
set -e
apt-get update
apt-get install -y curl
EOF
COPY <<config.ini /etc/app/
[server]
port = 80
config.ini
ONBUILD COPY . /app
CMD /usr/bin/app
`,
]

test('real Dockerfiles have the instructions and lines that another parser sees', () => {
  for (const text of REAL) {
    const mine = parseDockerfile(text).instructions.map((one) => [one.kind.toUpperCase(), one.lines.first])
    const theirs = DockerfileParser.parse(text)
      .getInstructions()
      .map((one) => [one.getKeyword(), one.getRange().start.line + 1])
    assert.deepEqual(mine, theirs)
  }
})
