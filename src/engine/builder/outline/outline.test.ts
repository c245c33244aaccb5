import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { parseDockerfile } from '#oci/dockerfile'
import { platform } from '#oci/image'

import type { PlanInput } from '../plan-input.ts'
import { listTargets, outlineTarget } from './index.ts'

const AMD64 = platform('linux', 'amd64', '')

function input(text: string, options: Partial<PlanInput> = {}): PlanInput {
  return {
    dockerfile: parseDockerfile(text),
    buildArgs: new Map(),
    target: undefined,
    platform: AMD64,
    buildPlatform: AMD64,
    labels: {},
    network: 'default',
    entitlements: new Set(),
    failsOnFindings: false,
    isIgnored: () => false,
    ...options,
  }
}

const FILE = `# VERSION of the base
ARG VERSION=1
# deps has what the build needs
FROM base:\${VERSION} AS deps
# TOKEN_NAME names the secret
ARG TOKEN_NAME=npm
RUN --mount=type=secret,id=\${TOKEN_NAME},required=true --mount=type=secret,target=/x/opt install

# something else
FROM --platform=$BUILDPLATFORM deps AS build
ARG MODE
ARG VERSION
RUN --mount=type=ssh compile

FROM alpine AS other
ARG UNUSED=1
RUN --mount=type=secret,id=never x

FROM scratch
COPY --from=build / /
`

test('targets are told with what they stand on and the comment above them', () => {
  assert.deepEqual(
    listTargets(input(FILE)).map(({ name, description, base, platform: on, isDefault }) => [
      name,
      description,
      base,
      on,
      isDefault,
    ]),
    [
      ['deps', 'has what the build needs', 'base:1', null, false],
      ['build', null, 'deps', 'linux/amd64', false],
      ['other', null, 'alpine', null, false],
      ['3', null, 'scratch', null, true],
    ],
  )
})

test('an outline has the arguments, secrets and agents of the stages that the target needs', () => {
  const outline = outlineTarget(input(FILE, { buildArgs: new Map([['MODE', 'fast']]) }))
  assert.deepEqual(
    outline.args.map(({ name, value, description }) => [name, value, description]),
    [
      ['VERSION', '1', 'of the base'],
      ['TOKEN_NAME', 'npm', 'names the secret'],
      ['MODE', 'fast', null],
    ],
  )
  assert.deepEqual(
    outline.secrets.map(({ id, isRequired }) => [id, isRequired]),
    [
      ['npm', true],
      ['opt', false],
    ],
  )
  assert.deepEqual(
    outline.sshAgents.map(({ id }) => id),
    ['default'],
  )
  assert.equal(outlineTarget(input(FILE, { target: 'deps' })).description, 'has what the build needs')
  assert.deepEqual(
    outlineTarget(input(FILE, { target: 'other' })).secrets.map(({ id }) => id),
    ['never'],
  )
  assert.throws(() => outlineTarget(input(FILE, { target: 'none' })), { code: 'build.stage_not_found' })
})

test('a base that demands an argument is told as it is written', () => {
  assert.equal(listTargets(input('ARG V\nFROM x:${V:?missing}'))[0]?.base, 'x:${V:?missing}')
})

test('property: any file has an outline, or is refused as a build of it is', () => {
  const lines = fc.constantFrom(
    'FROM a AS x',
    'FROM x',
    'FROM ${V:?}',
    'ARG V=$V$W',
    'ARG W',
    '# V is',
    'RUN --mount=type=secret,id=$V y',
    'COPY --from=x / /',
    'COPY --from=1 a b',
    'RUN --mount=type=ssh z',
  )
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 12 }), (text) => {
      try {
        const of = input(text.join('\n'))
        assert.equal(listTargets(of).filter(({ isDefault }) => isDefault).length, 1)
        outlineTarget(of)
      } catch (error) {
        if (!(error instanceof GloveboxError)) throw error
        assert.match(error.code, /^(?:dockerfile|build)\./)
      }
    }),
  )
})
