import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { parseDockerfile } from '#oci/dockerfile'

import { readStages } from '../stages.ts'
import { checkDockerfile, CHECK_RULES, checkSettings, keptFindings } from './index.ts'

const PREDEFINED = new Map([
  ['TARGETPLATFORM', 'linux/amd64'],
  ['BUILDPLATFORM', 'linux/amd64'],
])

/** `Name:line` of what the settings of the file leave in. */
function findings(text: string, ignored: readonly string[] = []): string[] {
  const dockerfile = parseDockerfile(text)
  const found = checkDockerfile({
    dockerfile,
    ...readStages(dockerfile),
    predefined: PREDEFINED,
    isIgnored: (path) => ignored.includes(path),
  })
  const settings = checkSettings(dockerfile.check, { file: 'Dockerfile', line: 1 })
  return keptFindings(found, settings).map(({ check, place }) => `${check}:${place.line}`)
}

/** One row for a rule: what is found in a file that breaks it, and a file that keeps it. */
const ROWS: readonly (readonly [name: string, bad: string, found: readonly string[], good: string])[] = [
  ['StageNameCasing', 'FROM a AS Base', ['StageNameCasing:1'], 'FROM a AS base'],
  ['FromAsCasing', 'FROM a as base', ['FromAsCasing:1'], 'from a as base'],
  ['NoEmptyContinuation', 'FROM a\nRUN x \\\n\n  y', ['NoEmptyContinuation:2'], 'FROM a\nRUN x \\\n  # why\n  y'],
  [
    'ConsistentInstructionCasing',
    'FROM a\nRUN x\nrun y\nRun z',
    ['ConsistentInstructionCasing:3', 'ConsistentInstructionCasing:4'],
    'from a\nrun x',
  ],
  ['DuplicateStageName', 'FROM a AS x\nFROM b AS x', ['DuplicateStageName:2'], 'FROM a AS x\nFROM b AS y'],
  ['ReservedStageName', 'FROM a AS scratch', ['ReservedStageName:1'], 'FROM a AS scratchpad'],
  [
    'JSONArgsRecommended',
    'FROM a\nCMD x\nENTRYPOINT y',
    ['JSONArgsRecommended:2', 'JSONArgsRecommended:3'],
    'FROM a\nSHELL ["bash", "-c"]\nCMD x',
  ],
  ['MaintainerDeprecated', 'FROM a\nMAINTAINER me', ['MaintainerDeprecated:2'], 'FROM a\nLABEL maintainer=me'],
  ['UndefinedArgInFrom', 'FROM a$V', ['UndefinedArgInFrom:1'], 'ARG V=1\nFROM a$V'],
  ['WorkdirRelativePath', 'FROM a\nWORKDIR x', ['WorkdirRelativePath:2'], 'FROM a AS one\nWORKDIR /x\nFROM one\nWORKDIR y'],
  [
    'MultipleInstructionsDisallowed',
    'FROM a\nCMD ["x"]\nCMD ["y"]',
    ['MultipleInstructionsDisallowed:2'],
    'FROM a\nCMD ["x"]\nFROM b\nCMD ["y"]',
  ],
  [
    'LegacyKeyValueFormat',
    'FROM a\nENV a b\nLABEL c d',
    ['LegacyKeyValueFormat:2', 'LegacyKeyValueFormat:3'],
    'FROM a\nENV a=b\nLABEL c=d',
  ],
  [
    'RedundantTargetPlatform',
    'FROM --platform=$TARGETPLATFORM a',
    ['RedundantTargetPlatform:1'],
    'FROM --platform=$BUILDPLATFORM a',
  ],
  [
    'SecretsUsedInArgOrEnv',
    'FROM a\nARG GITHUB_TOKEN\nENV db_password=x',
    ['SecretsUsedInArgOrEnv:2', 'SecretsUsedInArgOrEnv:3'],
    'FROM a\nENV PUBLIC_KEY=x TOKENS=1 KEYBOARD=us',
  ],
  ['InvalidDefaultArgInFrom', 'ARG T\nFROM a:$T', ['InvalidDefaultArgInFrom:2'], 'ARG T=1\nFROM a:$T'],
  ['InvalidDefaultArgInFrom', 'ARG I\nFROM $I', ['InvalidDefaultArgInFrom:2'], 'ARG I\nFROM ${I:-a}'],
  [
    'FromPlatformFlagConstDisallowed',
    'FROM --platform=linux/amd64 a',
    ['FromPlatformFlagConstDisallowed:1'],
    'FROM --platform=linux/amd64 a AS build_amd64',
  ],
  ['CopyIgnoredFile', '# check=experimental=all\nFROM a\nCOPY ./gone/ /x', ['CopyIgnoredFile:3'], 'FROM a\nCOPY gone /x'],
  ['ExposeProtoCasing', 'FROM a\nEXPOSE 80/TCP', ['ExposeProtoCasing:2'], 'FROM a\nEXPOSE 80/tcp 90-91/udp $P/tcp'],
  ['ExposeInvalidFormat', 'FROM a\nEXPOSE 127.0.0.1:80:80', ['ExposeInvalidFormat:2'], 'FROM a\nEXPOSE 80'],
  [
    'InvalidDefinitionDescription',
    '# check=experimental=InvalidDefinitionDescription\n# of the base\nFROM a AS base\n# the version\nARG V=1',
    ['InvalidDefinitionDescription:3', 'InvalidDefinitionDescription:5'],
    '# check=experimental=all\n# base is what all stand on\nFROM a AS base\n# of nothing\n\nARG V=1',
  ],
]

for (const [name, bad, found, good] of ROWS)
  test(`${name} is found where it is broken and nowhere else`, () => {
    assert.deepEqual(findings(bad, ['gone']), found)
    assert.deepEqual(findings(good, ['gone']), [])
  })

test('the rows and the planner cover every check', () => {
  const whilePlanning = ['UndefinedVar', 'InvalidBaseImagePlatform']
  const covered = new Set([...ROWS.map(([name]) => name), ...whilePlanning])
  assert.deepEqual(CHECK_RULES.map(({ name }) => name).toSorted(), [...covered].toSorted())
  assert.equal(CHECK_RULES.length, 22)
})

test('a file skips checks by name or all of them', () => {
  const body = 'FROM a\nENV a b\nMAINTAINER me'
  assert.deepEqual(findings(`# check=skip=LegacyKeyValueFormat\n${body}`), ['MaintainerDeprecated:4'])
  assert.deepEqual(findings(`# check=skip=all\n${body}`), [])
  assert.deepEqual(findings(`# check=skip=OfTheFuture\n${body}`), ['LegacyKeyValueFormat:3', 'MaintainerDeprecated:4'])
})

test('settings that cannot be read are refused', () => {
  const place = { file: 'Dockerfile', line: 1 }
  assert.equal(checkSettings('error=true;skip=all', place).failsBuild, true)
  assert.throws(() => checkSettings('eror=true', place), {
    code: 'build.instruction_invalid',
    message: /"eror=true" is not known/,
  })
  assert.throws(() => checkSettings('error=maybe', place), { code: 'build.instruction_invalid', message: /error=maybe/ })
})

test('any file that parses can be checked', () => {
  const line = fc.constantFrom(
    'FROM a',
    'from $B AS X',
    'FROM x',
    'ARG B',
    'ARG B=${C:-d}',
    'ENV $a b',
    'WORKDIR "$x"/y',
    'EXPOSE 1/2/3',
    'COPY [a /b',
    'COPY . /',
    'CMD x',
    '# x y',
    'FROM ${B:?no}',
    'FROM --platform=x/y/z b AS c',
  )
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
      try {
        findings(lines.join('\n'))
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind === 'invalid', String(error))
      }
    }),
  )
})
