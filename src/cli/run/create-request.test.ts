import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import { GloveboxError } from '#base'

import { parseArguments } from '../args/parse.ts'
import { createRequest } from './create-request.ts'
import { createFlags } from './flags.ts'
import { portWords } from './ports.ts'

const attachment = {
  isInteractive: false,
  hasTty: false,
  isDetached: false,
  streams: [],
  removesItself: false,
  consoleSize: undefined,
}

function request(...words: string[]): Record<string, any> {
  const { flags, operands } = parseArguments({ flags: createFlags, stopsAtOperand: true, command: 'glovebox run' }, words)
  const [image = '', ...command] = operands
  return createRequest(image, command, flags, attachment, { env: { HERE: 'yes' }, cwd: '/srv' })
}

test('an unadorned run says nothing that it does not mean', () => {
  const body = request('debian', 'ls', '-l')
  assert.deepEqual(body, {
    Image: 'debian',
    Cmd: ['ls', '-l'],
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
  })
})

test('limits, mounts and ports reach the body in the units of the API', () => {
  const { HostConfig, ExposedPorts } = request(
    ...'-m 64m --cpus 1.5 -v ./data:/data:ro -v cache:/cache -p 127.0.0.1:8080:80 -p 53/udp --ulimit nofile=10:20 --restart on-failure:3 --tmpfs /t:size=1m x'.split(
      ' ',
    ),
  )
  assert.equal(HostConfig.Memory, 64 * 1024 * 1024)
  assert.equal(HostConfig.NanoCpus, 1_500_000_000)
  assert.deepEqual(HostConfig.Binds, ['/srv/data:/data:ro', 'cache:/cache'])
  assert.deepEqual(HostConfig.PortBindings, {
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
    '53/udp': [{ HostIp: '', HostPort: '' }],
  })
  assert.deepEqual(HostConfig.Ulimits, [{ Name: 'nofile', Soft: 10, Hard: 20 }])
  assert.deepEqual(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 })
  assert.deepEqual(HostConfig.Tmpfs, { '/t': 'size=1m' })
  assert.deepEqual(Object.keys(ExposedPorts), ['80/tcp', '53/udp'])
})

test('a variable without a value comes from here, and is left out when it is not set here', () => {
  assert.deepEqual(request('-e', 'HERE', '-e', 'GONE', '-e', 'A=', 'x').Env, ['HERE=yes', 'A='])
})

test('an empty entrypoint takes the one of the image away', () => {
  assert.deepEqual(request('--entrypoint', '', 'x').Entrypoint, [])
})

test('mounts that are spelled out are read by their type', () => {
  const { HostConfig } = request(
    '--mount',
    'type=bind,src=./a,dst=/b,readonly',
    '--mount',
    'type=tmpfs,target=/t,tmpfs-mode=1777,tmpfs-size=1m',
    'x',
  )
  assert.deepEqual(HostConfig.Mounts, [
    { Type: 'bind', Target: '/b', Source: '/srv/a', ReadOnly: true },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o1777 } },
  ])
})

for (const [words, message] of [
  [['--mount', 'type=bind,target=/x'], /source is missing/],
  [['--mount', 'type=volume,target=/x,consistency=cached'], /"consistency" is not a key of a volume mount/],
  [['-p', '80:90:70'], /--publish/],
  [['-p', '99999:80'], /is not a port/],
  [['-p', '1-3:1-2'], /ranges differ/],
  [['--restart', 'always:3'], /--restart/],
  [['--ulimit', 'nofile'], /--ulimit/],
  [['--device', 'null'], /--device/],
] as const)
  test(`refuses ${words.join(' ')}`, () => {
    assert.throws(
      () => request(...words, 'x'),
      (error) => error instanceof GloveboxError && error.kind === 'invalid' && message.test(error.message),
    )
  })

test('every published port that is written is the one that is read', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  fc.assert(
    fc.property(
      port,
      port,
      fc.constantFrom('', '0.0.0.0:', '[::1]:'),
      fc.constantFrom('tcp', 'udp'),
      (host, inside, ip, protocol) => {
        const { bindings } = portWords([`${ip}${host}:${inside}/${protocol}`], [])
        assert.deepEqual(bindings, {
          [`${inside}/${protocol}`]: [{ HostIp: ip.replace(/[[\]]|:$/g, ''), HostPort: String(host) }],
        })
      },
    ),
  )
})
