import assert from 'node:assert/strict'

import { labelledLayout, memoryTree } from './memory-tree.ts'
import type { Built, Row } from './row.ts'

const labels =
  (expected: Readonly<Record<string, string>>) =>
  ({ config }: Built) =>
    assert.deepEqual(config.labels, expected)
const from = (...lines: readonly string[]) => ['FROM base', ...lines].join('\n')

/** Stages and arguments. */
const FROM: readonly Row[] = [
  {
    area: 'FROM',
    item: 'tag, digest, both',
    state: 'yes',
    dockerfile: `FROM other:1@sha256:${'a'.repeat(64)}`,
    bases: { [`other:1@sha256:${'a'.repeat(64)}`]: { config: { user: 'x' } } },
    expect: ({ config }) => assert.equal(config.user, 'x'),
  },
  {
    area: 'FROM',
    item: '`--platform`, with the platform arguments',
    state: 'yes',
    dockerfile: 'FROM --platform=$BUILDPLATFORM base\nARG TARGETARCH\nLABEL a=$TARGETARCH',
    expect: ({ config }) => assert.ok(config.labels['a']),
  },
  {
    area: 'FROM',
    item: '`scratch`, an earlier stage, names in any case',
    state: 'yes',
    dockerfile: 'FROM scratch AS One\nCOPY a /\nFROM one',
    files: { a: 'x' },
    expect: ({ files }) => assert.deepEqual(files, { a: 'x' }),
  },
  {
    area: 'FROM',
    item: 'stages that the target does not need are left out',
    state: 'yes',
    dockerfile: 'FROM base\nRUN never\nFROM scratch',
    expect: ({ runs }) => assert.equal(runs.length, 0),
  },
  {
    area: 'FROM',
    item: '`--target`',
    state: 'yes',
    dockerfile: 'FROM scratch AS a\nLABEL x=1\nFROM base\nRUN never',
    options: { target: 'A' },
    expect: labels({ x: '1' }),
  },
  {
    area: 'FROM',
    item: 'named contexts: `docker-image://`, `target:`, addresses of repositories, archives and files',
    state: 'yes',
    dockerfile: 'FROM alpine\nCOPY --from=page f /page\nCOPY --from=repo g /git',
    bases: { other: { files: { o: 'O' } } },
    pages: { 'https://f.test/f': { body: 'F' } },
    repositories: { 'https://g.test/r.git': { HEAD: { commit: 'a'.repeat(40), files: { g: 'G' } } } },
    options: {
      contexts: new Map([
        ['alpine', 'docker-image://other'],
        ['page', 'https://f.test/f'],
        ['repo', 'https://g.test/r.git'],
      ]),
    },
    expect: ({ files }) => assert.deepEqual(files, { o: 'O', page: 'F', git: 'G' }),
  },
  {
    area: 'FROM',
    item: 'named contexts: `oci-layout://DIRECTORY[:tag][@digest]`',
    state: 'yes',
    note: 'a directory of the client, which sends it; its blobs are checked',
    dockerfile: 'FROM x',
    options: { directories: new Map([['x', { tree: labelledLayout(), layout: 'v1' }]]) },
    expect: labels({ from: 'layout' }),
  },
  {
    area: 'FROM',
    item: 'named contexts: directories of the client',
    state: 'yes',
    note: 'sent like the context: what changed, without what their `.dockerignore` names',
    dockerfile: 'FROM scratch\nCOPY --from=x d /e',
    options: { directories: new Map([['x', { tree: memoryTree({ 'd/f': 'F' }), layout: undefined }]]) },
    expect: ({ files }) => assert.equal(files['e/f'], 'F'),
  },
  {
    area: 'FROM',
    item: 'named contexts: anything else',
    state: 'refused',
    dockerfile: 'FROM x',
    options: { contexts: new Map([['x', 'somewhere']]) },
    error: { code: 'build.context_invalid', says: /nothing known/ },
  },
  {
    area: 'FROM',
    item: 'a base that is not there',
    state: 'refused',
    dockerfile: 'FROM nowhere',
    error: { code: 'build.base_not_found', says: /^Dockerfile:1/ },
  },
]

const ARG: readonly Row[] = [
  {
    area: 'ARG',
    item: 'before FROM, and again in the stage to see it',
    state: 'yes',
    dockerfile: 'ARG V=1\nFROM base\nLABEL a=$V\nARG V\nLABEL b=$V',
    expect: labels({ a: '', b: '1' }),
  },
  {
    area: 'ARG',
    item: 'inherited by stages that stand on the stage',
    state: 'yes',
    dockerfile: 'FROM base AS a\nARG V=1\nFROM a\nLABEL b=$V',
    expect: labels({ b: '1' }),
  },
  {
    area: 'ARG',
    item: 'several in a line, quoted defaults',
    state: 'yes',
    dockerfile: from('ARG A=1 B="x y" C', 'LABEL a=$A b=$B c=$C'),
    options: { buildArgs: new Map([['C', '3']]) },
    expect: labels({ a: '1', b: 'x y', c: '3' }),
  },
  {
    area: 'ARG',
    item: 'ENV wins over ARG',
    state: 'yes',
    dockerfile: from('ENV X=env', 'ARG X=arg', 'LABEL x=$X'),
    options: { buildArgs: new Map([['X', 'given']]) },
    expect: labels({ x: 'env' }),
  },
  {
    area: 'ARG',
    item: 'proxy arguments reach RUN, and neither history nor key',
    state: 'yes',
    dockerfile: from('RUN x'),
    options: { buildArgs: new Map([['https_proxy', 'http://p']]) },
    expect: ({ runs, image }) => {
      assert.ok(runs[0]?.env.includes('https_proxy=http://p'))
      assert.ok(!JSON.stringify(image).includes('http://p'))
    },
  },
  {
    area: 'ARG',
    item: '`TARGET*`, `BUILD*`, `TARGETSTAGE`',
    state: 'yes',
    dockerfile: 'FROM base AS x\nARG TARGETSTAGE TARGETOS BUILDOS\nLABEL s=$TARGETSTAGE t=$TARGETOS b=$BUILDOS',
    options: { target: 'x' },
    expect: labels({ s: 'x', t: 'linux', b: 'linux' }),
  },
  {
    area: 'ARG',
    item: '`SOURCE_DATE_EPOCH` in seconds',
    state: 'yes',
    dockerfile: 'FROM scratch\nCOPY a /',
    files: { a: '' },
    options: { buildArgs: new Map([['SOURCE_DATE_EPOCH', '1']]) },
    expect: async ({ image, entry }) => {
      assert.equal(image.created, '1970-01-01T00:00:01.000Z')
      assert.equal((await entry('a'))?.mtimeS, 1)
    },
  },
  {
    area: 'ARG',
    item: '`SOURCE_DATE_EPOCH=context`',
    state: 'refused',
    note: 'a context has no commit here',
    dockerfile: 'FROM scratch',
    options: { buildArgs: new Map([['SOURCE_DATE_EPOCH', 'context']]) },
    error: { code: 'build.instruction_invalid', says: /SOURCE_DATE_EPOCH/ },
  },
  {
    area: 'ARG',
    item: '`BUILDKIT_SYNTAX`, `BUILDKIT_DOCKERFILE_CHECK`, `BUILDKIT_CACHE_MOUNT_NS`',
    state: 'yes',
    note: 'the first is a hint',
    dockerfile: 'FROM base\nWORKDIR x',
    options: {
      buildArgs: new Map([
        ['BUILDKIT_SYNTAX', 'x'],
        ['BUILDKIT_DOCKERFILE_CHECK', 'skip=all'],
      ]),
    },
    expect: ({ warnings }) => assert.deepEqual(warnings, []),
  },
  {
    area: 'ARG',
    item: 'other `BUILDKIT_*` arguments',
    state: 'refused',
    note: 'a warning says that they change nothing',
    dockerfile: 'FROM scratch',
    options: { buildArgs: new Map([['BUILDKIT_MULTI_PLATFORM', '1']]) },
    expect: ({ warnings }) => assert.deepEqual(warnings, [':1']),
  },
]

export const STAGE_ROWS: readonly Row[] = [...FROM, ...ARG]
