import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { bytesOfText } from '#oci/tar'

import { optionsForModule, parseModules, submodulesOf } from './git-modules.ts'
import { parseRemote } from './parse-remote.ts'
import type { GitSource } from './port.ts'

const COMMIT = 'c'.repeat(40)

function source(text: string): GitSource {
  const found = parseRemote(text, { checksum: undefined, keepsGitDirectory: false }, { file: 'Dockerfile', line: 1 })
  return found.kind === 'git' ? found : assert.fail('it is not one of git')
}

const settings = (url: string, more = '') => parseModules(Buffer.from(`submodule.l.path\nlib\0submodule.l.url\n${url}\0${more}`))
const found = (parent: string, url: string, path = 'lib') =>
  submodulesOf(source(parent), [{ path: bytesOfText(path), commit: COMMIT }], settings(url))

test('a submodule is fetched at its commit, from the address of .gitmodules', () => {
  const [module] = found('https://h/team/app.git', 'https://other/lib')
  assert.deepEqual([module?.source.remote, module?.source.ref, module?.commit], ['https://other/lib', COMMIT, COMMIT])
  assert.equal(found('https://h/app.git', 'git@other:lib.git')[0]?.source.transport, 'ssh')
})

test('relative addresses count from the repository, and stay on its host', () => {
  const at = (parent: string, url: string) => found(parent, url)[0]?.source.remote
  assert.equal(at('https://h/team/app.git', '../lib.git'), 'https://h/team/lib.git')
  assert.equal(at('https://h/team/app.git', '../../other/lib'), 'https://h/other/lib')
  assert.equal(at('https://h/team/app.git', './lib.git'), 'https://h/team/app.git/lib.git')
  assert.equal(at('git@h:team/app.git', '../lib.git'), 'git@h:team/lib.git')
  assert.throws(() => at('https://h/app.git', '../../evil'), /leads out of its host/)
})

test('below a sub-directory the paths of .gitmodules are those of the whole tree', () => {
  const parsed = parseModules(Buffer.from('submodule.l.path\npart/lib\0submodule.l.url\nhttps://o/l\0'))
  const links = [{ path: bytesOfText('lib'), commit: COMMIT }]
  assert.equal(submodulesOf(source('https://h/a.git#main:part'), links, parsed)[0]?.source.remote, 'https://o/l')
})

test('addresses that lead to files, programs or nowhere are refused, and none is left out silently', () => {
  for (const url of [
    '/etc',
    'file:///etc',
    'ext::sh -c x',
    '--upload-pack=x',
    'git://h/x',
    'https://u:p@h/x',
    'https://h/x#y',
    '',
  ])
    assert.throws(() => found('https://h/a.git', url), { kind: url === 'git://h/x' ? 'unsupported' : 'invalid' }, url)
  assert.throws(() => found('https://h/a.git', 'https://o/l', 'other'), /no address in \.gitmodules/)
  const none = settings('https://o/l', 'submodule.l.update\nnone\0')
  assert.deepEqual(submodulesOf(source('https://h/a.git'), [{ path: bytesOfText('lib'), commit: COMMIT }], none), [])
})

test('secrets for everybody are told to the same place alone, and none to plain HTTP elsewhere', () => {
  const ids = ['GIT_AUTH_TOKEN', 'GIT_AUTH_HEADER', 'GIT_AUTH_TOKEN.o', 'other']
  const options = {
    isHostNetworkAllowed: false,
    secrets: new Map(ids.map((id) => [id, Buffer.from('x')])),
    sshAgent: undefined,
    signal: undefined,
  }
  const told = (url: string) => [...optionsForModule(options, source('https://h/a.git'), source(url)).secrets.keys()]
  assert.deepEqual(told('https://h/b.git'), ids)
  assert.deepEqual(told('https://o/b.git'), ['GIT_AUTH_TOKEN.o', 'other'])
  assert.deepEqual(told('http://o/b.git'), ['other'])
  assert.deepEqual(told('http://h/b.git'), ['other'])
})

test('whatever .gitmodules says, what comes of it is on the network, or an error of its author', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('../', './..//', '..', '@:')), fc.string(), (url, more) => {
      try {
        for (const { source: made } of submodulesOf(
          source('https://h/a/b.git'),
          [{ path: bytesOfText('lib'), commit: COMMIT }],
          settings(url.replaceAll('\0', ''), more),
        ))
          assert.match(made.remote, /^(?:https?:\/\/|ssh:\/\/|[\w.-]+@)/i)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind !== 'internal', String(error))
      }
    }),
  )
})
