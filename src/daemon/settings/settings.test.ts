import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { readDaemonArguments } from '../arguments.ts'
import { parseConfig } from './config-file.ts'
import { placeOfKey } from './place-of-key.ts'
import { createSettings } from './settings.ts'

/** The daemon's options with this text in the file. */
const withFile = (text: string, ...argv: readonly string[]) =>
  readDaemonArguments(argv, (path, keys) => parseConfig(text, path, keys))

test('keys of the file are the flags without dashes, and a flag wins', () => {
  const text = '{ "log-level": "debug", "label": ["a=1"], "gc": "off", "log-opt": ["max-size=1m"] }'
  const { logLevel, labels, collection, containerLog } = withFile(text, '--log-level', 'warn', '--label', 'b=2')
  assert.deepEqual([logLevel, labels, collection.isOn], ['warn', ['b=2'], false])
  assert.deepEqual(containerLog, { driver: 'json-file', options: { 'max-size': '1m' } })
})

test('without a file all is as the flags say, unless a file was named', () => {
  const absent = () => null
  assert.equal(readDaemonArguments([], absent).logLevel, 'info')
  assert.throws(() => readDaemonArguments(['--config', '/no/such'], absent), {
    message: /--config \/no\/such: there is no such file/,
  })
})

test('what is wrong in the file is told with its place', () => {
  for (const [text, message] of [
    ['{\n  "gc": "on",\n  "gcc": "on"\n}', /^\/c:3:3: unknown key "gcc"/],
    ['{ "root": "/x" }', /^\/c:1:3: root is no setting of the file: say it on the command line/],
    ['{ "label": "a=1" }', /^\/c:1:3: label is not a list of texts/],
    ['{ "gc": ["on"] }', /^\/c:1:3: gc is not a text/],
    ['{ "layers": "erofs",\n "gc": "unused=never,unused=1d" }', /^\/c:2:2: --gc: .*twice/],
    ['{ "insecure-registry": ["http://x"] }', /^\/c:1:3: --insecure-registry http:\/\/x: not a host/],
    ['{ "log-driver": "syslog" }', /^\/c:1:3: --log-driver syslog: the log driver "syslog" is not supported/],
    ['{ "log-opt": ["max-file=3"] }', /^\/c:1:3: --log-opt max-file=3: .*needs max-size/],
    ['{ "label": ["a"] }', /^\/c:1:3: --label a: not NAME=VALUE/],
    ['[]', /^\/c: not a JSON object/],
    ['{ "gc": on }', /^\/c: .*not valid JSON/],
  ] as const)
    assert.throws(() => withFile(text, '--config', '/c'), { kind: /invalid|unsupported/, message }, text)
})

test('what can change while it runs is taken over, and the rest is named', () => {
  let text = '{ "gc": "on", "group": "a" }'
  const settings = createSettings(() => withFile(text))
  text = '{ "gc": "off", "group": "b", "log-level": "debug", "registry-mirror": ["https://m.example"] }'
  assert.deepEqual(settings.reload(), { changed: ['collection', 'registries', 'logLevel'], afterRestart: ['group'] })
  const { collection, logLevel, group } = settings.current()
  assert.deepEqual([collection.isOn, logLevel, group], [false, 'debug', 'a'])
  text = '{ "gc": "perhaps" }'
  assert.throws(() => settings.reload())
  assert.equal(settings.current().logLevel, 'debug')
})

test('property: a key is found where it stands, whatever stands around it', () => {
  const key = fc.string({ maxLength: 8 }).filter((text) => text !== '__proto__')
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1 }), fc.nat(), fc.nat(4), (object, at, indent) => {
      const names = Object.keys(object)
      const name = names[at % names.length] ?? ''
      const json = JSON.stringify(object, null, indent)
      const [line = 0, column = 0] = placeOfKey(json, name).split(':').map(Number)
      const rest = json
        .split('\n')
        .slice(line - 1)
        .join('\n')
        .slice(column - 1)
      assert.ok(rest.startsWith(`${JSON.stringify(name)}:`), `${name} in ${json}`)
    }),
  )
})

test('property: any text is settings or an error of whoever wrote it', () => {
  const keys = { known: { gc: { isList: false }, label: { isList: true } }, refused: { root: 'no' } }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseConfig(text, '/c', keys)
      } catch (error) {
        assert.ok(isKind(error, 'invalid'), String(error))
      }
    }),
  )
})
