import assert from 'node:assert/strict'

import { parseDockerfile } from '#oci/dockerfile'
import { emptyProcessConfig, platform, type ImageProcessConfig } from '#oci/image'
import type { Digest } from '#base'

import { listTargets, outlineTarget } from '../../src/engine/builder/outline/index.ts'
import { planBuild, type PlanInput } from '../../src/engine/builder/index.ts'
import { isRemote, parseRemote } from '../../src/engine/builder/remote/index.ts'
import type { FuzzTarget } from './fuzz.ts'

const AMD64 = platform('linux', 'amd64', '')
const bytes = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))

function inputOf(text: string): PlanInput {
  return {
    dockerfile: parseDockerfile(text),
    buildArgs: new Map([['A', 'given']]),
    target: undefined,
    platform: AMD64,
    buildPlatform: AMD64,
    labels: {},
    network: 'default',
    entitlements: new Set(),
    failsOnFindings: false,
    isIgnored: (path) => path.startsWith('ignored'),
    namedContexts: new Map([['named', { kind: 'image', reference: 'other:1' }]]),
  }
}

/** A base with triggers, so that these are planned as well. */
function anyBase(onBuild: readonly string[]) {
  const config: ImageProcessConfig = { ...emptyProcessConfig(), onBuild }
  const image = { architecture: 'amd64', os: 'linux', variant: '', created: '', author: '', comment: '', history: [] }
  return { id: 'sha256:0' as Digest, config: { ...image, diffIds: ['sha256:1' as Digest], config } }
}

/** Images name images by their triggers: an honest file needs few rounds. */
const MAX_ROUNDS = 50

const plans: FuzzTarget = {
  name: 'plan of a build, and its checks',
  seeds: bytes(
    'ARG V=1\nFROM a:$V AS one\nARG A B=${A:-x}\nENV C=$A\nRUN --mount=type=bind,from=named,target=/x --mount=type=secret,id=$A y\nFROM one\nCOPY --from=one --chown=1:2 a b /c/\nADD https://h/f.tar?x=1 /y\n',
    '# check=skip=all;experimental=all\nFROM --platform=$BUILDPLATFORM named AS Two\nWORKDIR x\nEXPOSE 1-20/udp $A\nONBUILD COPY --from=x a b\nADD --checksum=abcdef0 https://h/r.git?ref=x&subdir=y /z\nHEALTHCHECK --interval=1s CMD x\nUSER $Z\nVOLUME ["/v"]\nSTOPSIGNAL 9\n',
  ),
  words:
    'FROM |AS |ARG |ENV |COPY --from=|RUN --mount=type=|,target=|,from=|,source=|named|one|$A|${A:-|}|ONBUILD |ADD |https://h/r.git#|\n|--chmod=|--parents |WORKDIR |../|0|# check=|EXPOSE 1-65535\n'.split(
      '|',
    ),
  codes: ['dockerfile.', 'build.', 'pattern.', 'reference.', 'platform.', 'units.', 'digest.'],
  run: (raw) => {
    const input = inputOf(raw.toString('utf8'))
    assert.ok(listTargets(input).length > 0)
    outlineTarget(input)
    const resolved = new Map()
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const planned = planBuild(input, resolved)
      if (planned.kind === 'needs') {
        for (const { reference, platform: of } of planned.images)
          resolved.set(`linux/${of.architecture} ${reference}`, anyBase(['RUN trigger', 'COPY a b']))
        if (planned.images.some(({ platform: of }) => of.os !== 'linux' || of.variant !== '')) return
        continue
      }
      const numbers = planned.plan.stages.flatMap((stage) => [stage.from.number, ...stage.steps.map(({ number }) => number)])
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      )
      return
    }
  },
}

const addresses: FuzzTarget = {
  name: 'addresses of ADD',
  seeds: bytes(
    'https://host/path/file.tgz?x=1#y',
    'git@github.com:a/b.git#main:sub',
    'https://h/r.git?ref=v1&subdir=a/b&keep-git-dir',
    'ssh://git@h:22/r.git',
  ),
  words: [
    '..',
    '/',
    '#',
    ':',
    '?',
    '&',
    '-',
    '--upload-pack=',
    'ref=',
    'subdir=',
    '.git',
    '%2e%2e',
    '%00',
    '@',
    '[::1]',
    'ext::',
    'file://',
    '\n',
  ],
  codes: ['build.'],
  run: (raw) => {
    const text = raw.toString('utf8')
    if (!isRemote(text)) return
    const found = parseRemote(text, { checksum: undefined, keepsGitDirectory: false }, { file: 'Dockerfile', line: 1 })
    if (found.kind === 'http') return assert.ok(!/[/\0]/.test(found.name) && found.name !== '..' && /^https?:/.test(found.url))
    assert.ok(!found.remote.startsWith('-') && !(found.ref ?? '').startsWith('-') && !found.subdir.split('/').includes('..'))
    assert.match(found.remote, /^(?:https?|ssh):\/\/|^[\w.-]+@[\w.-]+:/i)
  },
}

export const BUILD_TARGETS: readonly FuzzTarget[] = [plans, addresses]
