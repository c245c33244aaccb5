import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, type Digest } from '#base'
import { parseDockerfile } from '#oci/dockerfile'
import { emptyProcessConfig, platform, type ImageProcessConfig } from '#oci/image'

import { planBuild, type Planned } from './plan.ts'
import type { PlanInput } from './plan-input.ts'
import type { BaseImage } from './ports.ts'
import type { BuildPlan } from './steps.ts'

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
    failsOnFindings: true,
    isIgnored: () => false,
    ...options,
  }
}

function base(config: Partial<ImageProcessConfig> = {}): BaseImage {
  const image = {
    architecture: 'amd64',
    os: 'linux',
    variant: '',
    created: '2024-01-01T00:00:00Z',
    author: '',
    comment: '',
    history: [],
  }
  return {
    id: 'sha256:0' as Digest,
    config: { ...image, diffIds: ['sha256:1' as Digest], config: { ...emptyProcessConfig(), ...config } },
  }
}

/** Plans with the same base for every image. */
function planned(of: PlanInput, image: BaseImage | null = base()): BuildPlan {
  const resolved = new Map<string, BaseImage | null>()
  for (let round = 0; round < 100; round += 1) {
    const result: Planned = planBuild(of, resolved)
    if (result.kind === 'plan') return result.plan
    for (const need of result.images) resolved.set(`linux/${need.platform.architecture} ${need.reference}`, image)
  }
  return assert.fail('planning does not come to an end')
}

const config = (text: string, image?: BaseImage) => planned(input(text), image).target.config

test('metadata instructions change the configuration and nothing else', () => {
  const result = planned(
    input(`FROM a
ENV A=1 B="two words"
ENV A=3 C=$A
LABEL x=$A y='$A'
EXPOSE 80 53/UDP 8000-8002
VOLUME ["/data", "/log"]
USER $C:50
WORKDIR a/b
WORKDIR ../c
STOPSIGNAL SIGINT
SHELL ["/bin/bash", "-c"]
CMD run it
HEALTHCHECK --retries=2 CMD curl x
ONBUILD RUN y
MAINTAINER me`),
  ).target
  assert.deepEqual(result.config.env, ['A=3', 'B=two words', 'C=1'])
  assert.deepEqual(result.config.labels, { x: '3', y: '$A' })
  assert.deepEqual(result.config.exposedPorts, ['53/udp', '80/tcp', '8000/tcp', '8001/tcp', '8002/tcp'])
  assert.deepEqual(result.config.volumes, ['/data', '/log'])
  assert.equal(result.config.user, '1:50')
  assert.equal(result.config.workingDir, '/a/c')
  assert.deepEqual(result.config.cmd, ['/bin/bash', '-c', 'run it'])
  assert.deepEqual(result.config.healthcheck?.test, ['CMD-SHELL', 'curl x'])
  assert.deepEqual(result.config.onBuild, ['RUN y'])
  assert.equal(result.author, 'me')
  assert.ok(result.steps.every((step) => step.action.kind === 'metadata' || step.action.kind === 'workdir'))
})

test('ENTRYPOINT clears the CMD of the base, and not that of the stage', () => {
  const image = base({ cmd: ['base'] })
  assert.equal(config('FROM a\nENTRYPOINT ["x"]', image).cmd, null)
  assert.deepEqual(config('FROM a\nCMD ["own"]\nENTRYPOINT ["x"]', image).cmd, ['own'])
  assert.deepEqual(config('FROM a\nUSER u', image).cmd, ['base'])
})

test('arguments from before FROM are seen after they are declared, and stages inherit them', () => {
  const text =
    'ARG V=1\nARG W=$V-w\nFROM a AS one\nLABEL before=$V\nARG V\nARG W\nLABEL after=$V w=$W\nFROM one\nLABEL inherited=$V'
  assert.deepEqual(config(text).labels, { before: '', after: '1', w: '1-w', inherited: '1' })
  const given = planned(input(text, { buildArgs: new Map([['V', '2']]) }))
  assert.deepEqual(given.target.config.labels, { before: '', after: '2', w: '2-w', inherited: '2' })
})

test('platform arguments and stage names are given', () => {
  const text = 'FROM --platform=$BUILDPLATFORM a AS Build\nARG TARGETARCH TARGETSTAGE\nLABEL arch=$TARGETARCH stage=$TARGETSTAGE'
  const plan = planned(input(text, { platform: platform('linux', 'arm64', '') }))
  assert.deepEqual(plan.target.config.labels, { arch: 'arm64', stage: 'default' })
  assert.equal(plan.target.platform.architecture, 'amd64')
  assert.equal(planned(input(text, { target: 'build' })).target.config.labels['stage'], 'build')
})

test('ENV wins over ARG in either order', () => {
  assert.deepEqual(config('FROM a\nARG X=arg\nENV X=env\nLABEL x=$X').labels, { x: 'env' })
  assert.deepEqual(config('FROM a\nENV X=env\nARG X=arg\nLABEL x=$X').labels, { x: 'env' })
})

test('unknown variables and unused arguments are warned of once', () => {
  const plan = planned(input('FROM a\nLABEL x=$NOPE y=$NOPE z=${OK:-1}', { buildArgs: new Map([['UNUSED', '1']]) }))
  assert.deepEqual(
    plan.warnings.map(({ check, place, message }) => [check, place.line, message]),
    [
      ['UndefinedVar', 2, 'the variable NOPE has no value here'],
      [undefined, 1, 'no ARG takes the build arguments UNUSED'],
    ],
  )
})

test('steps are numbered in the order of execution, over the stages that are needed', () => {
  const plan = planned(input('FROM a AS x\nRUN 1\nFROM a AS y\nRUN 2\nFROM x\nCOPY --from=0 /a /b\nRUN 3'))
  assert.equal(plan.stepCount, 5)
  assert.deepEqual(
    plan.stages.flatMap((stage) => [stage.from.number, ...stage.steps.map((step) => step.number)]),
    [1, 2, 3, 4, 5],
  )
  const copy = plan.target.steps[0]?.action
  assert.ok(copy?.kind === 'copy' && copy.from.kind === 'stage' && copy.from.stage === plan.stages[0])
})

test('a plan that lacks images says which, and planning again with them goes on', () => {
  const of = input('FROM one\nCOPY --from=two:3 /a /b')
  const first = planBuild(of, new Map())
  assert.deepEqual(first.kind === 'needs' && first.images.map(({ reference }) => reference), ['one'])
  const second = planBuild(of, new Map([['linux/amd64 one', base()]]))
  assert.deepEqual(second.kind === 'needs' && second.images.map(({ reference }) => reference), ['two:3'])
  assert.throws(() => planBuild(of, new Map([['linux/amd64 one', null]])), {
    code: 'build.base_not_found',
    message: /^Dockerfile:1: /,
  })
})

test('too many stages and layers are refused', () => {
  assert.throws(() => planned(input('FROM a\n'.repeat(501))), { code: 'build.too_many_stages' })
  assert.throws(() => planned(input(`FROM a\n${'RUN x\n'.repeat(500)}`)), { code: 'build.too_many_layers' })
  assert.throws(() => planned(input('RUN x\nFROM a')), { code: 'build.instruction_invalid' })
})

test('a chained trigger of a hostile base is refused', () => {
  assert.throws(() => planned(input('FROM a'), base({ onBuild: ['ONBUILD RUN x'] })), { code: 'dockerfile.invalid' })
  assert.throws(() => planned(input('FROM a'), base({ onBuild: ['FROM other'] })), { code: 'dockerfile.invalid' })
  assert.throws(() => planned(input('FROM a'), base({ onBuild: ['RUN x\nRUN y'] })), { code: 'dockerfile.invalid' })
})

test('secrets of a proxy reach neither key nor history', () => {
  const plan = planned(input('FROM a\nRUN x', { buildArgs: new Map([['https_proxy', 'http://u:p@x']]) }))
  const [step] = plan.target.steps
  assert.ok(step?.action.kind === 'run')
  assert.deepEqual(step.action.hiddenEnv, ['https_proxy=http://u:p@x'])
  assert.ok(!JSON.stringify([step.createdBy, step.action.env]).includes('u:p'))
})

const line = fc.constantFrom(
  'FROM a AS s',
  'FROM s',
  'FROM scratch',
  'FROM $A',
  'ARG A=x',
  'ENV B=$A',
  'RUN x',
  'COPY a b c',
  'COPY --from=s a /',
  'COPY --from=0 a /',
  'WORKDIR ../$B',
  'EXPOSE $B',
  'ONBUILD RUN y',
  'CMD z',
  'USER ${A:?no}',
  'ADD x /',
  'RUN --mount=type=cache,target=/$A y',
)

test('any Dockerfile is planned, the same each time, or refused at a line', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
      try {
        const plan = planned(input(lines.join('\n')))
        assert.deepEqual(planned(input(lines.join('\n'))), plan)
        const numbers = plan.stages.flatMap((stage) => [stage.from.number, ...stage.steps.map((step) => step.number)])
        assert.deepEqual(
          numbers,
          Array.from({ length: plan.stepCount }, (_, index) => index + 1),
        )
        for (const stage of plan.stages) {
          const { base: from } = stage
          if (from.kind === 'stage') assert.ok(plan.stages.indexOf(from.stage) < plan.stages.indexOf(stage))
        }
      } catch (error) {
        assert.ok(error instanceof GloveboxError && /^(dockerfile|build)\./.test(error.code), String(error))
        assert.match(error.message, /^Dockerfile:\d+: /)
      }
    }),
    { numRuns: 500 },
  )
})
