import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { createAddressGuard } from './addresses.ts'
import { authorizationFor, gitAuthorization } from './authorization.ts'
import { decompressor } from './decompress.ts'
import { describeRemote, isRemote, parseRemote } from './parse-remote.ts'
import type { RemoteSource } from './port.ts'

const PLACE = { file: 'Dockerfile', line: 3 }
const parse = (text: string, flags: { checksum?: string; keepsGitDirectory?: boolean } = {}): RemoteSource =>
  parseRemote(text, { checksum: flags.checksum, keepsGitDirectory: flags.keepsGitDirectory ?? false }, PLACE)

const git = (text: string, flags = {}) => {
  const found = parse(text, flags)
  return found.kind === 'git' ? found : assert.fail('it is not one of git')
}

test('an address is told from a path', () => {
  for (const text of ['http://a/b', 'HTTPS://a/b', 'git@github.com:a/b', 'ssh://git@a/b', 'git://a/b', 'https://a/b.git#x'])
    assert.ok(isRemote(text), text)
  for (const text of ['a/b', './http://x', 'github.com/a/b.git', 'c:/x', 'a@b', '@a:b', 'x:y', 'httpx://a'])
    assert.ok(!isRemote(text), text)
})

test('a file is named by the end of its address, and never by what the other end says', () => {
  const nameOf = (text: string) => {
    const found = parse(text)
    return found.kind === 'http' ? found.name : ''
  }
  assert.equal(nameOf('https://a/b/c.tar.gz?x=1#y'), 'c.tar.gz')
  assert.equal(nameOf('https://a/b/c%20d'), 'c d')
  for (const text of ['https://a', 'https://a/', 'https://a/..%2fx', 'https://a/%2e%2e%2fetc'])
    assert.equal(nameOf(text), '', text)
})

test('a ref and a sub-directory stand behind # or in the query', () => {
  const { remote, ref, subdir } = git('https://h/r.git#main:docs/x')
  assert.deepEqual([remote, ref, subdir], ['https://h/r.git', 'main', 'docs/x'])
  assert.equal(git('https://h/r.git').ref, undefined)
  assert.equal(git('git@h:r.git#:docs').subdir, 'docs')
  assert.equal(git('https://h/r.git?ref=v1&subdir=a').ref, 'v1')
  assert.equal(git('https://h/r.git?tag=v1').ref, 'refs/tags/v1')
  assert.equal(git('https://h/r.git?branch=next').ref, 'refs/heads/next')
  assert.equal(git('https://h/r.git?keep-git-dir').keepsGitDirectory, true)
  assert.equal(git('https://h/r.git?submodules=false').hasSubmodules, false)
  assert.equal(git('https://h/r.git', { checksum: 'ABCDEF0' }).commitPrefix, 'abcdef0')
  assert.equal(
    git('https://h/r.git?commit=0123456789012345678901234567890123456789').ref,
    '0123456789012345678901234567890123456789',
  )
  assert.equal(describeRemote(git('https://h/r.git?ref=v1&subdir=a')), 'https://h/r.git#v1:a')
})

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['https://h/r.git#main:../../etc', /leads out/],
  ['https://h/r.git?subdir=a/../../b', /leads out/],
  ['https://h/r.git#--upload-pack=x', /no branch/],
  ['https://h/r.git?ref=-x', /no branch/],
  ['https://h/r.git#a..b', /no branch/],
  ['https://h/r.git#a*', /no branch/],
  ['https://h/r.git#main?ref=x', /no branch/],
  ['https://h/r.git?ref=a#b', /names the ref/],
  ['https://h/r.git?ref=a&ref=b', /twice/],
  ['https://h/r.git?depth=1', /not known/],
  ['https://h/r.git?ref=', /no value/],
  ['https://user:pw@h/r.git', /password/],
  ['https://user:pw@h/file', /password/],
  ['ssh://git:pw@h/r', /password/],
  ['ssh://-oProxyCommand=x/r', /no user and host|no address/],
  ['git@-oProxyCommand:r', /no user and host/],
  ['git@h:r"x', /character/],
  ['https://%zz/x', /Dockerfile:3/],
]

test('what could be an option, a way out or a password is refused with the line', () => {
  for (const [text, why] of REFUSED)
    assert.throws(
      () => parse(text),
      (error) => error instanceof GloveboxError && error.code === 'build.instruction_invalid' && why.test(error.message),
      text,
    )
  assert.throws(() => parse('git://h/r'), { code: 'build.unsupported' })
  assert.throws(() => parse('https://h/f', { checksum: 'md5:0' }), { code: 'build.instruction_invalid' })
  assert.throws(() => parse('https://h/f', { keepsGitDirectory: true }), { code: 'build.instruction_invalid' })
  assert.throws(() => parse('https://h/r.git#x:y', { keepsGitDirectory: true }), { code: 'build.instruction_invalid' })
  assert.throws(() => parse('https://h/r.git', { checksum: 'zz' }), { code: 'build.instruction_invalid' })
})

test('property: whatever stands in an address, what is read of it is no option and leads nowhere', () => {
  const parts = fc.constantFrom(
    'https://h/',
    'git@',
    'ssh://',
    '.git',
    '#',
    ':',
    '?',
    'ref=',
    '&subdir=',
    '..',
    '/',
    '-x',
    'a',
    '%2e',
    '\0',
    ' ',
    '\n',
    '@',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (words) => {
      const text = words.join('')
      if (!isRemote(text)) return
      try {
        const found = parse(text)
        if (found.kind === 'http') assert.ok(!found.name.includes('/') && found.name !== '..')
        else
          assert.ok(
            !(found.ref ?? '').startsWith('-') && !found.subdir.split('/').includes('..') && !found.remote.startsWith('-'),
          )
      } catch (error) {
        if (!(error instanceof GloveboxError)) throw error
        assert.match(error.code, /^build\./)
      }
    }),
  )
})

test('addresses of this machine, its link and metadata services are refused in every way of writing them', () => {
  const { isRefused } = createAddressGuard()
  const refused = `127.0.0.1 127.9.9.9 0.0.0.0 169.254.169.254 100.100.100.200 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0
    ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::a9fe:a9fe 2002:7f00:1:: fd00:ec2::254 ff02::1 0:0:0:0:0:0:0:1 ::ffff:0:7f00:1`
  for (const address of refused.split(/\s+/)) assert.ok(isRefused(address), address)
  for (const address of '10.0.0.1 192.168.1.1 172.17.0.1 8.8.8.8 2001:db8::1 fd00::1 ::ffff:8.8.8.8 64:ff9b::808:808'.split(' '))
    assert.ok(!isRefused(address), address)
})

test('a secret is told to the host that it names, and to no other', () => {
  const secrets = new Map([
    ['HTTP_AUTH_TOKEN_a.test', Buffer.from('t\n')],
    ['HTTP_AUTH_HEADER_b.test', Buffer.from('Basic x')],
    ['GIT_AUTH_TOKEN', Buffer.from('g')],
  ])
  const of = (url: string) => authorizationFor(new URL(url), secrets).authorization
  assert.equal(of('https://a.test/x'), 'Bearer t')
  assert.equal(of('https://b.test/x'), 'Basic x')
  assert.equal(of('https://a.test.evil/x'), undefined)
  assert.equal(gitAuthorization('any', secrets), `basic ${Buffer.from('x-access-token:g').toString('base64')}`)
})

test('xz and bzip2 are read through the programs of the host', async () => {
  const decompress = decompressor()
  for (const format of ['xz', 'bzip2'] as const) {
    const packed = spawnSync(format, ['--compress', '--stdout'], { input: 'x'.repeat(100_000) }).stdout
    const parts: Buffer[] = []
    for await (const part of decompress(
      format,
      (async function* () {
        yield packed
      })(),
    ))
      parts.push(part)
    assert.equal(Buffer.concat(parts).toString(), 'x'.repeat(100_000))
    const broken = async () => {
      for await (const _ of decompress(
        format,
        (async function* () {
          yield packed.subarray(0, packed.length / 2)
        })(),
      ));
    }
    await assert.rejects(broken(), { code: 'build.context_invalid' })
  }
})
