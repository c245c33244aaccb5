import assert from 'node:assert/strict'

import { digestOf, isDigest, parseDigest, parseVerifiableDigest } from '#oci/digest'
import { expandBody, expandWord, expandWords, parseDockerfile } from '#oci/dockerfile'
import { parseImageConfig, parseManifest, parseStrictJson, writeImageConfig } from '#oci/image'
import { compileGlob, ignoreRules, parseIgnoreFile } from '#oci/patterns'
import { canonicalText, familiarText, parseReference } from '#oci/reference'

import type { FuzzTarget } from './fuzz.ts'

const bytes = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))
const json = (...values: readonly unknown[]) => bytes(...values.map((value) => JSON.stringify(value)))
const text = (input: Buffer) => input.toString('utf8')

const DIGEST = `sha256:${'a'.repeat(64)}`
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar'
const descriptor = (mediaType: string, more: object = {}) => ({ mediaType, digest: DIGEST, size: 7, ...more })
const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  'null',
  'true',
  '"',
  '\\u0000',
  '\\ud800',
  '{"a":'.repeat(50),
  '['.repeat(200),
  '__proto__',
  'constructor',
  '1e999',
  '-0',
]

const manifests: FuzzTarget = {
  name: 'manifest and index',
  seeds: json(
    {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor('application/vnd.oci.image.config.v1+json'),
      layers: [descriptor(LAYER), descriptor(`${LAYER}+gzip`)],
    },
    {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [descriptor(MANIFEST, { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } })],
    },
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: descriptor('application/vnd.docker.container.image.v1+json'),
      layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', { urls: ['https://x'], annotations: { a: 'b' } })],
    },
  ),
  words: [
    ...JSON_WORDS,
    '"layers"',
    '"manifests"',
    '"config"',
    '"digest"',
    '"size"',
    '"mediaType"',
    DIGEST,
    INDEX,
    MANIFEST,
    'sha256:../../x',
  ],
  codes: ['manifest.', 'json.', 'digest.', 'platform.'],
  run: (input) => {
    const found = parseManifest(input, null, 'manifest')
    assert.equal(found.digest, digestOf(input))
    // Whatever it names may become a path or an address.
    for (const [, digest = ''] of JSON.stringify(found).matchAll(/"digest":"([^"]*)"/g)) parseVerifiableDigest(digest)
  },
}

const configs: FuzzTarget = {
  name: 'image configuration',
  seeds: json(
    {
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: {
        Env: ['A=b'],
        Cmd: ['sh'],
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/v': {} },
        Labels: { a: 'b' },
        User: '1:2',
        Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9 },
      },
      rootfs: { type: 'layers', diff_ids: [DIGEST] },
      history: [{ created_by: 'x', empty_layer: true }, { created_by: 'y' }],
    },
    { architecture: 'arm64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
  ),
  words: [...JSON_WORDS, '"diff_ids"', '"history"', '"config"', '"Env"', '"Healthcheck"', '"OnBuild"', DIGEST],
  codes: ['image_config.', 'json.', 'digest.', 'platform.'],
  run: (input) => {
    const config = parseImageConfig(input, 'configuration')
    assert.ok(config.diffIds.every(isDigest))
    const written = writeImageConfig(config)
    assert.deepEqual(writeImageConfig(parseImageConfig(written, 'written')), written)
  },
}

const strictJson: FuzzTarget = {
  name: 'strict JSON',
  seeds: json({ a: [1, 'x', { b: null }] }, { '\u0000': 1, ü: '\ud83d\ude00' }),
  words: JSON_WORDS,
  codes: ['json.'],
  run: (input) => {
    assert.deepEqual(parseStrictJson(input, 'document'), JSON.parse(text(input)))
  },
}

const references: FuzzTarget = {
  name: 'reference',
  seeds: bytes('debian', 'localhost:5000/a/b:tag', `ghcr.io/o/r@${DIGEST}`, 'docker.io/library/x:1.0-rc_1', '[::1]:5000/x'),
  words: ['/', ':', '@', '.', '..', '__', '-', 'docker.io', 'library', 'sha256:', DIGEST, 'index.docker.io', '%2f', 'A'],
  codes: ['reference.', 'digest.'],
  run: (input) => {
    const reference = parseReference(text(input))
    assert.deepEqual(parseReference(canonicalText(reference)), reference)
    assert.deepEqual(parseReference(familiarText(reference)), reference)
    assert.match(reference.path, /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/)
  },
}

const digests: FuzzTarget = {
  name: 'digest',
  seeds: bytes(DIGEST, `sha512:${'0'.repeat(128)}`),
  words: ['sha256:', 'sha512:', 'md5:', '../', '/', 'A', '\n'],
  codes: ['digest.'],
  run: (input) => {
    const given = text(input)
    if (isDigest(given)) assert.match(given, /^sha256:[0-9a-f]{64}$/)
    const { text: shown } = parseVerifiableDigest(given)
    assert.match(shown, /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/)
    assert.equal(parseDigest(given), given)
  },
}

const dockerfiles: FuzzTarget = {
  name: 'Dockerfile',
  seeds: bytes(
    'FROM debian:12 AS base\nARG A=1\nENV B=${A:-x} C="d e"\nRUN --mount=type=cache,target=/c apt-get update && \\\n  apt-get install\nCOPY --from=base --chown=1:2 a b /c/\nCMD ["a", "b"]\n',
    '# syntax=docker/dockerfile:1\n# escape=`\nFROM scratch\nCOPY <<EOF <<-"X" /d/\nhello $A\nEOF\n\tbye\n\tX\nHEALTHCHECK --interval=1s CMD x\nONBUILD RUN y\nSHELL ["sh"]\nLABEL a=b\nEXPOSE 80/tcp 1-2\nVOLUME ["/v"]\nSTOPSIGNAL 9\nUSER a:b\nWORKDIR /w\nADD --checksum=sha256:00 http://x /y\n',
  ),
  words: [
    'FROM ',
    'RUN ',
    'COPY ',
    'ONBUILD ',
    '<<EOF',
    '<<',
    '\\\n',
    '`\n',
    '# escape=`\n',
    '#',
    '--mount=',
    '--from=',
    '${',
    '}',
    ':-',
    '$',
    '"',
    "'",
    '[',
    ']',
    ',',
    '\r\n',
    'AS ',
    '=',
    'HEALTHCHECK NONE',
  ],
  codes: ['dockerfile.'],
  run: (input) => {
    const found = parseDockerfile(text(input))
    const lines = text(input).split('\n').length
    for (const instruction of found.instructions) assert.ok(instruction.lines.first >= 1 && instruction.lines.last <= lines)
  },
}

const expansions: FuzzTarget = {
  name: 'expansion of variables',
  seeds: bytes('a${B:-c}d', '"$A" \'$B\' \\$C', '${A#*/}${A%%.*}${A/x/y}', '${A:?why}${A+${B:-${C}}}'),
  words: [
    '${',
    '}',
    ':-',
    ':+',
    ':?',
    '#',
    '##',
    '%',
    '%%',
    '/',
    '//',
    '*',
    '?',
    '[a-z]',
    '$A',
    '\\',
    '"',
    "'",
    '${A:-'.repeat(120),
  ],
  codes: ['dockerfile.'],
  run: (input) => {
    const values: Readonly<Record<string, string>> = { A: 'a/b.c', B: '', LONG: 'ab'.repeat(500) }
    const expansion = { place: { file: 'f', line: 1 }, escape: '\\' as const, lookup: (name: string) => values[name] }
    const word = expandWord(text(input), expansion)
    assert.ok(word.length <= 1 << 20)
    expandWords(text(input), expansion)
    expandBody(text(input), expansion)
  },
}

const PATHS = ['a', 'a/b', 'a/b/c.txt', '.git/config', 'node_modules/x/y', 'deep/'.repeat(40) + 'f', 'x'.repeat(200)]
const ignores: FuzzTarget = {
  name: 'ignore patterns',
  seeds: bytes('**/*.txt\n!a/b/c.txt\n# no\n/node_modules\n', '*a*a*a*b\n**/**/**\n[a-z]?\\*\n!\n'),
  words: ['**', '*', '?', '[', ']', '[^', '\\', '!', '/', '\n', '..', '.', '#', '*a'.repeat(30), '**/'.repeat(30)],
  codes: ['pattern.'],
  run: (input) => {
    const rules = ignoreRules(parseIgnoreFile(text(input)))
    for (const path of PATHS) {
      // A directory that may be skipped is itself left out, and so is all below it.
      if (rules.canSkipDirectory(path)) assert.ok(rules.isIgnored(path) && rules.isIgnored(`${path}/below`))
      else rules.isIgnored(path)
    }
  },
}

const globs: FuzzTarget = {
  name: 'COPY patterns',
  seeds: bytes('*.txt', '[a-c]?/*', 'a\\*b', '[^x]*'),
  words: ['*', '?', '[', ']', '^', '-', '\\', '/', '*a'.repeat(30)],
  codes: ['pattern.'],
  run: (input) => {
    for (const hasDoubleStar of [false, true]) {
      const glob = compileGlob(text(input), { hasDoubleStar })
      for (const path of PATHS) if (glob.matches(path)) assert.ok(glob.matchesOrContains(path))
    }
  },
}

export const DOCUMENT_TARGETS: readonly FuzzTarget[] = [
  manifests,
  configs,
  strictJson,
  references,
  digests,
  dockerfiles,
  expansions,
  ignores,
  globs,
]
