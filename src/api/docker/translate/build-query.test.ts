import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readQuery } from '#api/http'

import { buildRequest } from './build-query.ts'

const read = (text: string, header?: string) => buildRequest(readQuery(text), header)

test('what clients send for options that nobody chose asks for nothing', () => {
  const { remote, cacheFrom, limits } = read(
    'cachefrom=[]&ulimits=null&cgroupparent=&cpusetmems=&shmsize=0&isolation=default&squash=0',
  )
  assert.deepEqual([remote, cacheFrom, limits.ulimits, limits.cgroupParent], ['', [], [], ''])
})

test('limits, caches and the address of the context are read', () => {
  const ulimits = JSON.stringify([{ Name: 'nofile', Soft: 1, Hard: 2 }])
  const asked = read(`remote=https://h/x.git&cachefrom=["a","b:1"]&ulimits=${ulimits}&cgroupparent=/x&cpusetmems=0`)
  assert.deepEqual([asked.remote, asked.cacheFrom], ['https://h/x.git', ['a', 'b:1']])
  assert.deepEqual(asked.limits.ulimits, [{ name: 'nofile', soft: 1, hard: 2 }])
  assert.deepEqual([asked.limits.cgroupParent, asked.limits.cpusetMems], ['/x', '0'])
  for (const wrong of ['ulimits=[1]', 'ulimits={}', 'cachefrom=[1]', 'cachefrom=x'])
    assert.throws(() => read(wrong), { code: 'docker.field_invalid' }, wrong)
})

test('what is not done is refused by name, with the reason', () => {
  assert.throws(() => read('squash=1'), /squash is not supported.*not merged/)
  assert.throws(() => read('securityopt=["seccomp=unconfined"]'), /securityopt is not supported/)
  assert.throws(() => read('isolation=hyperv'), /Windows/)
})

test('credentials go to the registry that they are for, whatever its name', () => {
  const servers = { 'https://index.docker.io/v1/': { username: 'hub' }, 'reg.example:5000': { username: 'own', other: 1 } }
  const { credentialsFor } = read('', Buffer.from(JSON.stringify(servers)).toString('base64url'))
  assert.deepEqual(credentialsFor('alpine'), { username: 'hub' })
  assert.deepEqual(credentialsFor('reg.example:5000/a/b:1'), { username: 'own' })
  assert.equal(credentialsFor('ghcr.io/a/b'), null)
  assert.throws(() => read('', '!!'), /X-Registry-Config/)
})
