import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'

import { bytesOfText } from '../../src/oci/tar/index.ts'
import type { Built, Row } from './row.ts'

const from = (...lines: readonly string[]) => ['FROM base', ...lines].join('\n')
const scratch = (...lines: readonly string[]) => ['FROM scratch', ...lines].join('\n')
const has =
  (expected: Readonly<Record<string, string | null>>) =>
  ({ files }: Built) =>
    assert.deepEqual(files, expected)
const mounted =
  (...kinds: readonly string[]) =>
  ({ runs }: Built) =>
    assert.deepEqual(
      runs.at(-1)?.mounts.map(({ kind }) => kind),
      kinds,
    )
const TREE = { 'a.txt': 'A', 'b.md': 'B', 'd/e/f.txt': 'F', 'd/g.md': 'G' }
const allowed = { entitlements: new Set(['network.host', 'security.insecure'] as const) }

/** A tar with one file of that name. */
function archive(format: 'gzip' | 'xz' | 'bzip2', name: string) {
  return {
    body: spawnSync('tar', ['-c', `--${format}`, `--transform=s,.*,${name},`, '-f', '-', '-C', '/etc', 'hostname']).stdout,
  }
}

const RUN: readonly Row[] = [
  {
    area: 'RUN',
    item: 'shell and exec forms',
    state: 'yes',
    dockerfile: from('RUN ["x", "y z"]'),
    expect: ({ runs }) => assert.deepEqual(runs[0]?.args, ['x', 'y z']),
  },
  {
    area: 'RUN',
    item: '`--network=default|none|host`',
    state: 'yes',
    note: 'host with the entitlement',
    dockerfile: from('RUN --network=none a', 'RUN --network=host b'),
    options: allowed,
    expect: ({ runs }) =>
      assert.deepEqual(
        runs.map(({ network }) => network),
        ['none', 'host'],
      ),
  },
  {
    area: 'RUN',
    item: '`--security=sandbox|insecure`',
    state: 'yes',
    note: 'insecure with the entitlement',
    dockerfile: from('RUN --security=insecure a'),
    options: allowed,
    expect: ({ runs }) => assert.equal(runs[0]?.isInsecure, true),
  },
  {
    area: 'RUN',
    item: 'more than a container has, without the entitlement',
    state: 'refused',
    dockerfile: from('RUN --security=insecure a'),
    error: { code: 'build.not_allowed', says: /^Dockerfile:2/ },
  },
  {
    area: 'RUN',
    item: '`--device`',
    state: 'refused',
    note: 'no Container Device Interface',
    dockerfile: from('RUN --device=vendor.com/gpu=0 x'),
    error: { code: 'build.unsupported', says: /^Dockerfile:2: RUN --device/ },
  },
  {
    area: 'RUN --mount',
    item: '`bind` (from, source, target, rw)',
    state: 'yes',
    dockerfile:
      'FROM scratch AS one\nCOPY a.txt /\nFROM base\nRUN --mount=from=one,target=/x --mount=type=bind,source=d,target=/y,rw z',
    files: TREE,
    expect: mounted('tree', 'tree'),
  },
  {
    area: 'RUN --mount',
    item: '`cache` (id, sharing, ro, from, source, mode, uid, gid)',
    state: 'yes',
    dockerfile:
      'FROM scratch AS one\nCOPY a.txt /\nFROM base\nRUN --mount=type=cache,target=/c,id=../../x,sharing=locked,mode=0700,uid=1,gid=2,from=one x',
    files: TREE,
    expect: ({ runs }) => {
      const mount = runs[0]?.mounts[0]
      assert.ok(mount?.kind === 'cache' && /^[0-9a-f]{64}$/.test(mount.id) && mount.mode === 0o700 && mount.seed !== undefined)
    },
  },
  {
    area: 'RUN --mount',
    item: '`tmpfs` (size)',
    state: 'yes',
    dockerfile: from('RUN --mount=type=tmpfs,target=/t,size=1m x'),
    expect: ({ runs }) => assert.deepEqual(runs[0]?.mounts, [{ kind: 'tmpfs', target: '/t', sizeBytes: 1_048_576 }]),
  },
  {
    area: 'RUN --mount',
    item: '`secret` (id, target, env, required, mode, uid, gid)',
    state: 'yes',
    dockerfile: from('RUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=t,target=/s,mode=0444 x'),
    options: { secrets: new Map([['t', Buffer.from('v')]]) },
    expect: ({ runs, image }) => {
      assert.ok(runs[0]?.env.includes('TOKEN=v'))
      assert.equal(runs[0]?.mounts.length, 1)
      assert.ok(!JSON.stringify(image).includes('TOKEN=v'))
    },
  },
  {
    area: 'RUN --mount',
    item: '`ssh` (id, target, required, mode, uid, gid)',
    state: 'yes',
    dockerfile: from('RUN --mount=type=ssh x'),
    options: { sshAgents: new Map([['default', '/run/agent']]) },
    expect: mounted('socket'),
  },
  {
    area: 'RUN --mount',
    item: 'a required secret that is missing',
    state: 'refused',
    dockerfile: from('RUN --mount=type=secret,id=t,required x'),
    error: { code: 'build.secret_missing' },
  },
  {
    area: 'RUN --mount',
    item: 'options that a type does not have, such as `bind-propagation`',
    state: 'refused',
    dockerfile: from('RUN --mount=type=bind,target=/x,bind-propagation=shared x'),
    error: { code: 'dockerfile.invalid', says: /bind-propagation/ },
  },
]

const COPY: readonly Row[] = [
  {
    area: 'COPY',
    item: '`--from` stage, number, image',
    state: 'yes',
    dockerfile:
      'FROM scratch AS one\nCOPY a.txt /\nFROM scratch\nCOPY --from=one a.txt /1\nCOPY --from=0 a.txt /2\nCOPY --from=other /o /',
    files: TREE,
    bases: { other: { files: { o: 'O' } } },
    expect: has({ 1: 'A', 2: 'A', o: 'O' }),
  },
  {
    area: 'COPY',
    item: '`--from` with a variable',
    state: 'refused',
    dockerfile: from('ARG X=y', 'COPY --from=$X a /'),
    error: { code: 'build.instruction_invalid', says: /variables/ },
  },
  {
    area: 'COPY',
    item: '`--chown` by names of the image, `--chmod` octal and symbolic',
    state: 'yes',
    dockerfile: from('COPY --chown=web:staff --chmod=u=rwX,go=r a.txt /x'),
    files: TREE,
    expect: async ({ entry }) => {
      const found = await entry('x')
      assert.deepEqual([found?.uid, found?.gid, found?.mode], [101, 50, 0o644])
    },
  },
  {
    area: 'COPY',
    item: '`--link`',
    state: 'yes',
    note: 'owners as numbers',
    dockerfile: from('COPY --link --chown=1:2 a.txt /x/'),
    files: TREE,
    expect: ({ files }) => assert.equal(files['x/a.txt'], 'A'),
  },
  {
    area: 'COPY',
    item: '`--parents` with `/./` and `**`',
    state: 'yes',
    dockerfile: scratch('COPY --parents d/./**/*.txt /x/'),
    files: TREE,
    expect: has({ x: null, 'x/e': null, 'x/e/f.txt': 'F' }),
  },
  {
    area: 'COPY',
    item: '`--exclude`, again and again',
    state: 'yes',
    dockerfile: scratch('COPY --exclude=**/*.md --exclude=a* . /'),
    files: { ...TREE, '.dockerignore': 'Dockerfile\n.dockerignore' },
    expect: has({ d: null, 'd/e': null, 'd/e/f.txt': 'F' }),
  },
  {
    area: 'COPY',
    item: 'globs; several sources need a directory',
    state: 'yes',
    dockerfile: scratch('COPY *.txt [b].md /x/'),
    files: TREE,
    expect: has({ x: null, 'x/a.txt': 'A', 'x/b.md': 'B' }),
  },
  {
    area: 'COPY',
    item: 'several sources without a directory',
    state: 'refused',
    dockerfile: scratch('COPY a.txt b.md /x'),
    files: TREE,
    error: { code: 'build.instruction_invalid', says: /ends with \// },
  },
  {
    area: 'COPY',
    item: 'a directory gives what it holds; `..` stops at the root of the context',
    state: 'yes',
    dockerfile: scratch('COPY ../../d/e /x'),
    files: TREE,
    expect: has({ x: null, 'x/f.txt': 'F' }),
  },
  {
    area: 'COPY',
    item: 'links of the destination are followed inside the root',
    state: 'yes',
    dockerfile: 'FROM linked\nCOPY a.txt /l/',
    files: TREE,
    bases: { linked: { files: { etc: null, l: { type: 'symlink', linkname: bytesOfText('/../../etc') } } } },
    expect: ({ files }) => assert.equal(files['etc/a.txt'], 'A'),
  },
  {
    area: 'COPY',
    item: 'extended attributes that the context has',
    state: 'yes',
    dockerfile: scratch('COPY a /'),
    files: { a: { size: 0, xattrs: [{ name: bytesOfText('user.x'), value: Buffer.from('1') }] } },
    expect: async ({ entry }) => assert.equal((await entry('a'))?.xattrs.length, 1),
  },
]

const ADD: readonly Row[] = [
  {
    area: 'ADD',
    item: 'files over HTTP: mode 600, time from `Last-Modified`, name from the address',
    state: 'yes',
    note: 'kept while ETag or Last-Modified stay; not from this machine, its link or metadata services',
    dockerfile: scratch('ADD https://f.test/x/tool /b/'),
    pages: { 'https://f.test/x/tool': { body: 'T', lastModified: 'Thu, 01 Jan 1970 00:01:00 GMT' } },
    expect: async ({ entry }) => {
      const found = await entry('b/tool')
      assert.deepEqual([found?.mode, found?.mtimeS], [0o600, 60])
    },
  },
  {
    area: 'ADD',
    item: '`--checksum=sha256:` of a download',
    state: 'yes',
    dockerfile: scratch(`ADD --checksum=sha256:${hash('sha256', 'T')} https://f.test/t /`),
    pages: { 'https://f.test/t': { body: 'T' } },
    expect: has({ t: 'T' }),
  },
  {
    area: 'ADD',
    item: 'a download of another checksum',
    state: 'refused',
    dockerfile: scratch(`ADD --checksum=sha256:${'0'.repeat(64)} https://f.test/t /`),
    pages: { 'https://f.test/t': { body: 'T' } },
    error: { code: 'build.checksum_mismatch' },
  },
  {
    area: 'ADD',
    item: 'an address without a name into a directory',
    state: 'refused',
    note: 'BuildKit calls the file `__unnamed__`',
    dockerfile: scratch('ADD https://f.test/ /x/'),
    error: { code: 'build.instruction_invalid', says: /names no file/ },
  },
  {
    area: 'ADD',
    item: 'git: `url#ref:subdir`, `?ref=&subdir=…`, `--keep-git-dir`, `--checksum`',
    state: 'yes',
    note: 'over https, http and ssh, with the git of the host; nothing is checked out, so filters and LFS do not apply',
    dockerfile: scratch(
      'ADD --keep-git-dir --checksum=aaaaaaa https://g.test/r.git?ref=v1 /x/',
      'ADD https://g.test/r.git#v1:d /y/',
    ),
    repositories: { 'https://g.test/r.git': { v1: { commit: 'a'.repeat(40), files: { 'd/f': 'F' } } } },
    expect: ({ files }) =>
      assert.deepEqual([files['x/d/f'], files['x/.git/HEAD'], files['y/f']], ['F', `${'a'.repeat(40)}\n`, 'F']),
  },
  {
    area: 'ADD',
    item: 'git: submodules',
    state: 'yes',
    note: '8 deep, 100 of them, each address checked like the first; `?submodules=false` leaves them out',
    dockerfile: scratch('ADD https://g.test/r.git?submodules=true /', 'ADD https://g.test/r.git?submodules=0#v1 /x/'),
    repositories: {
      'https://g.test/r.git': {
        HEAD: { commit: 'a'.repeat(40), files: { 'lib/f': 'F' } },
        v1: { commit: 'b'.repeat(40), files: { g: 'G' } },
      },
    },
    expect: ({ files }) => assert.deepEqual([files['lib/f'], files['x/g']], ['F', 'G']),
  },
  {
    area: 'ADD',
    item: '`git://`',
    state: 'refused',
    note: 'proves nothing of who answers',
    dockerfile: scratch('ADD git://g.test/r /'),
    error: { code: 'build.unsupported', says: /git:\/\// },
  },
  {
    area: 'ADD',
    item: 'HTTP and git credentials from secrets (`HTTP_AUTH_*_<host>`, `GIT_AUTH_*`)',
    state: 'yes',
    note: 'in an address they are refused',
    dockerfile: scratch('ADD https://u:p@f.test/x /'),
    error: { code: 'build.instruction_invalid', says: /password/ },
  },
  {
    area: 'ADD',
    item: 'local archives are unpacked by content: tar, gzip, zstd, xz, bzip2',
    state: 'yes',
    note: 'xz and bzip2 with the programs of the host',
    dockerfile: scratch('ADD a.tgz a.xz a.bz2 plain /x/'),
    files: { 'a.tgz': archive('gzip', 'g'), 'a.xz': archive('xz', 'x'), 'a.bz2': archive('bzip2', 'b'), plain: 'P' },
    expect: ({ files }) => assert.deepEqual(Object.keys(files), ['x', 'x/b', 'x/g', 'x/plain', 'x/x']),
  },
  {
    area: 'ADD',
    item: '`--unpack`',
    state: 'yes',
    dockerfile: scratch('ADD --unpack=true https://f.test/a /x/'),
    pages: {
      'https://f.test/a': {
        body: spawnSync('tar', ['-c', '--xz', '--transform=s,.*,f,', '-f', '-', '-C', '/etc', 'hostname']).stdout,
      },
    },
    expect: ({ files }) => assert.deepEqual(Object.keys(files), ['x', 'x/f']),
  },
  {
    area: 'ADD',
    item: '`--chown --chmod --link --exclude`, as COPY',
    state: 'yes',
    dockerfile: scratch('ADD --chown=1:2 --chmod=600 --exclude=*.md . /x/'),
    files: TREE,
    expect: async ({ entry, files }) => {
      assert.equal((await entry('x/a.txt'))?.uid, 1)
      assert.ok(!('x/b.md' in files))
    },
  },
]

/** Steps that make layers. */
export const STEP_ROWS: readonly Row[] = [...RUN, ...COPY, ...ADD]
