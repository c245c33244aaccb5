import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../support/processes.ts'
import { killProcess, type Survivor } from '../kernel/survival-fixture.ts'

/** One thing that users ask for, and what a daemon that dies in the middle must not break. */
export interface Operation {
  readonly name: string
  /** What must be there first. */
  prepare(s: Survivor): Promise<unknown>
  /** Fails when the daemon dies before it is done, and when it does not do it. */
  act(s: Survivor): Promise<unknown>
  /** Whether it has happened, by what the API shows. */
  isDone(s: Survivor): Promise<boolean>
  /** What must be true now that it has happened. */
  verify?(s: Survivor): Promise<unknown>
  /** Back to where `prepare` began, from wherever it stopped. */
  undo(s: Survivor): Promise<unknown>
  /** What else it takes until all of it is gone. */
  settle?(s: Survivor): Promise<unknown>
}

const isThere = async (s: Survivor, path: string) => (await s.status('GET', path)).status === 200
const remove = async (s: Survivor, name: string) => {
  const { status, text } = await s.status('DELETE', `/containers/${name}?force=1&v=1`)
  if (status !== 204 && status !== 404) throw new Error(`remove ${name}: ${status} ${text}`)
}
const removeObject = async (s: Survivor, path: string) => {
  const { status, text } = await s.status('DELETE', path)
  if (status >= 400 && status !== 404) throw new Error(`remove ${path}: ${status} ${text}`)
}
const stateOf = async (s: Survivor, name: string) => {
  const { status, text } = await s.status('GET', `/containers/${name}/json`)
  return status === 200 ? (JSON.parse(text).State.Status as string) : 'absent'
}
/** Fails at once when the daemon is gone. */
const waitFor = async (what: string, look: () => Promise<boolean>) => {
  const outcome = await until<unknown>(what, 5000, async () => {
    try {
      return (await look()) ? 'seen' : undefined
    } catch (error) {
      return error
    }
  })
  if (outcome !== 'seen') throw outcome
}
const becomes = async (s: Survivor, name: string, wanted: string) =>
  await waitFor(`${name} to be ${wanted}`, async () => (await stateOf(s, name)) === wanted)

const SLEEPER = { Image: 'busybox', Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL' }
const create = async (s: Survivor, name: string, more: object = {}) =>
  await s.api('POST', `/containers/create?name=${name}`, { ...SLEEPER, ...more })
const start = async (s: Survivor, name: string) => await s.api('POST', `/containers/${name}/start`)
const execOutput = async (s: Survivor, name: string, ...command: readonly string[]) => await s.must('exec', name, ...command)

const PUBLISHED = { HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1' }] } } }

/** The image `filled` has a directory of files and wants a volume over it. */
export async function makeFilled(s: Survivor): Promise<void> {
  const context = join(s.directory, 'filled')
  mkdirSync(context)
  const lines = ['FROM busybox', 'RUN mkdir /stuff && touch /stuff/a /stuff/b /stuff/c', 'VOLUME /stuff']
  writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`)
  await s.must('build', '-q', '-t', 'filled', context)
}

const containers: readonly Operation[] = [
  {
    name: 'create a container with a new volume that takes over files',
    prepare: async () => await Promise.resolve(),
    act: async (s) => await create(s, 'made', { Image: 'filled' }),
    isDone: async (s) => await isThere(s, '/containers/made/json'),
    verify: async (s) => {
      await start(s, 'made')
      assert.equal(await execOutput(s, 'made', 'ls', '/stuff'), 'a\nb\nc')
    },
    undo: async (s) => await remove(s, 'made'),
  },
  {
    name: 'start a container with a published port on a new network',
    prepare: async (s) => {
      await s.api('POST', '/networks/create', { Name: 'yard' })
      const HostConfig = { ...PUBLISHED.HostConfig, NetworkMode: 'yard' }
      await create(s, 'risen', { HostConfig })
    },
    act: async (s) => await start(s, 'risen'),
    isDone: async (s) => (await stateOf(s, 'risen')) === 'running',
    verify: async (s) => {
      const { NetworkSettings } = await s.inspect('risen')
      assert.equal(NetworkSettings.Ports['80/tcp']?.length, 1)
      assert.match(await execOutput(s, 'risen', 'ip', 'addr'), new RegExp(NetworkSettings.Networks['yard']?.IPAddress ?? 'none'))
    },
    undo: async (s) => {
      await remove(s, 'risen')
      await removeObject(s, '/networks/yard')
    },
  },
  {
    name: 'start a container with shared memory and a part of a volume',
    prepare: async (s) => {
      await s.must('run', '--rm', '-v', 'barn:/barn', 'busybox', 'mkdir', '-p', '/barn/hay')
      const Mounts = [{ Type: 'volume', Source: 'barn', Target: '/hay', VolumeOptions: { Subpath: 'hay' } }]
      await create(s, 'sharer', { HostConfig: { IpcMode: 'shareable', NetworkMode: 'none', Mounts } })
    },
    act: async (s) => await start(s, 'sharer'),
    isDone: async (s) => (await stateOf(s, 'sharer')) === 'running',
    verify: async (s) => {
      await execOutput(s, 'sharer', 'touch', '/hay/stack', '/dev/shm/seen')
      assert.equal(await s.must('run', '--rm', '-v', 'barn:/barn', 'busybox', 'ls', '/barn/hay'), 'stack')
      assert.match(await s.must('run', '--rm', '--ipc', 'container:sharer', 'busybox', 'ls', '/dev/shm'), /seen/)
    },
    undo: async (s) => {
      await remove(s, 'sharer')
      await removeObject(s, '/volumes/barn?force=1')
    },
  },
  {
    name: 'kill a container',
    prepare: async (s) => {
      // Without a process namespace of its own, what it leaves has to be killed by its cgroup.
      await create(s, 'doomed', { HostConfig: { ...PUBLISHED.HostConfig, PidMode: 'host' } })
      await start(s, 'doomed')
    },
    act: async (s) => {
      await s.api('POST', '/containers/doomed/kill')
      await becomes(s, 'doomed', 'exited')
    },
    isDone: async (s) => (await stateOf(s, 'doomed')) === 'exited',
    verify: async (s) => assert.equal((await s.inspect('doomed')).State.ExitCode, 137),
    undo: async (s) => await remove(s, 'doomed'),
  },
  {
    name: 'a container with --rm ends',
    prepare: async (s) => {
      await create(s, 'brief', { HostConfig: { AutoRemove: true, Mounts: [{ Type: 'volume', Target: '/data' }] } })
      await start(s, 'brief')
    },
    act: async (s) => {
      await s.api('POST', '/containers/brief/kill')
      await becomes(s, 'brief', 'absent')
    },
    isDone: async (s) => (await stateOf(s, 'brief')) === 'absent',
    undo: async (s) => await remove(s, 'brief'),
  },
  {
    name: 'a container ends and its policy starts it again',
    prepare: async (s) => {
      await create(s, 'phoenix', { HostConfig: { RestartPolicy: { Name: 'always' } } })
      await start(s, 'phoenix')
    },
    act: async (s) => {
      await becomes(s, 'phoenix', 'running')
      killProcess((await s.inspect('phoenix')).State.Pid)
      await waitFor('it to be back', async () => (await s.inspect('phoenix')).RestartCount > 0)
      await becomes(s, 'phoenix', 'running')
    },
    isDone: async (s) => (await s.inspect('phoenix')).RestartCount > 0,
    verify: async (s) => await becomes(s, 'phoenix', 'running'),
    undo: async (s) => await remove(s, 'phoenix'),
  },
  {
    name: 'remove a running container and its volume',
    prepare: async (s) => {
      await create(s, 'gone', { HostConfig: { ...PUBLISHED.HostConfig, Mounts: [{ Type: 'volume', Target: '/data' }] } })
      await start(s, 'gone')
    },
    act: async (s) => await s.api('DELETE', '/containers/gone?force=1&v=1'),
    isDone: async (s) => (await stateOf(s, 'gone')) === 'absent',
    undo: async (s) => await remove(s, 'gone'),
  },
  {
    name: 'run a command in a container',
    prepare: async (s) => {
      await create(s, 'host')
      await start(s, 'host')
    },
    act: async (s) => {
      const { Id } = await s.api('POST', '/containers/host/exec', { Cmd: ['touch', '/was-here'] })
      await s.api('POST', `/exec/${Id}/start`, { Detach: true })
      await waitFor('the command to end', async () => !(await s.api('GET', `/exec/${Id}/json`)).Running)
    },
    isDone: async () => await Promise.resolve(false),
    verify: async (s) => assert.equal(await execOutput(s, 'host', 'ls', '/was-here'), '/was-here'),
    undo: async (s) => await remove(s, 'host'),
  },
  {
    name: 'pause and limit a container',
    prepare: async (s) => {
      await create(s, 'cold')
      await start(s, 'cold')
    },
    act: async (s) => {
      if ((await stateOf(s, 'cold')) === 'running') await s.api('POST', '/containers/cold/pause')
      await s.api('POST', '/containers/cold/unpause')
      await s.api('POST', '/containers/cold/update', { PidsLimit: 50 })
    },
    isDone: async () => await Promise.resolve(false),
    verify: async (s) => assert.equal(await execOutput(s, 'cold', 'echo', 'warm'), 'warm'),
    undo: async (s) => await remove(s, 'cold'),
  },
]

const archives = (s: Survivor) => join(s.directory, 'saved.tar')
const hasImage = async (s: Survivor, name: string) => await isThere(s, `/images/${name}/json`)
const runsImage = async (s: Survivor, name: string, shown: string, ...command: readonly string[]) =>
  assert.equal(await s.must('run', '--rm', name, ...command), shown)
const removeImage = async (s: Survivor, name: string) => await removeObject(s, `/images/${name}?force=1`)

/** What a build of one step of each kind needs, with another text each time, so that the cache has nothing of it. */
function makeContext(s: Survivor): string {
  const context = join(s.directory, 'context')
  mkdirSync(context, { recursive: true })
  writeFileSync(join(context, 'page'), 'copied\n')
  const lines = ['FROM busybox', 'COPY page /page', `RUN echo ${process.hrtime.bigint()} > /own`, 'CMD ["cat", "/page"]']
  writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`)
  return context
}

const images: readonly Operation[] = [
  {
    name: 'import an image',
    prepare: async () => await Promise.resolve(),
    act: async (s) => await s.must('import', join(s.directory, 'small.tar'), 'imported'),
    isDone: async (s) => await hasImage(s, 'imported'),
    undo: async (s) => await removeImage(s, 'imported'),
  },
  {
    name: 'load an image',
    prepare: async (s) => {
      if (existsSync(archives(s))) return
      await s.must('import', join(s.directory, 'small.tar'), 'loaded')
      await s.must('save', '-o', archives(s), 'loaded')
      await removeImage(s, 'loaded')
    },
    act: async (s) => await s.must('load', '-i', archives(s)),
    isDone: async (s) => await hasImage(s, 'loaded'),
    undo: async (s) => await removeImage(s, 'loaded'),
  },
  {
    name: 'tag an image and take the tag away',
    prepare: async () => await Promise.resolve(),
    act: async (s) => {
      await s.api('POST', '/images/busybox/tag?repo=other&tag=name')
      await s.api('DELETE', '/images/other:name')
    },
    isDone: async () => await Promise.resolve(false),
    verify: async (s) => await runsImage(s, 'busybox', 'x', 'echo', 'x'),
    undo: async (s) => await removeImage(s, 'other:name'),
  },
  {
    name: 'delete an image',
    prepare: async (s) => await s.must('import', join(s.directory, 'small.tar'), 'passing'),
    act: async (s) => await s.api('DELETE', '/images/passing'),
    isDone: async (s) => !(await hasImage(s, 'passing')),
    undo: async (s) => await removeImage(s, 'passing'),
  },
  {
    name: 'commit a container',
    prepare: async (s) => {
      await create(s, 'writer', { Cmd: ['sh', '-c', 'echo written > /page; sleep 1000'] })
      await start(s, 'writer')
      await waitFor(
        'it to have written',
        async () => (await execOutput(s, 'writer', 'sh', '-c', 'cat /page || true')) === 'written',
      )
    },
    act: async (s) => await s.api('POST', '/commit?container=writer&repo=committed'),
    isDone: async (s) => await hasImage(s, 'committed'),
    verify: async (s) => {
      await runsImage(s, 'committed', 'written', 'cat', '/page')
      // It stood still for that, and no longer.
      assert.equal(await stateOf(s, 'writer'), 'running')
    },
    undo: async (s) => {
      await remove(s, 'writer')
      await removeImage(s, 'committed')
    },
  },
  {
    name: 'build an image',
    prepare: async (s) => void (await Promise.resolve(makeContext(s))),
    act: async (s) => await s.must('build', '-q', '-t', 'built', join(s.directory, 'context')),
    isDone: async (s) => await hasImage(s, 'built'),
    verify: async (s) => await runsImage(s, 'built', 'copied'),
    undo: async (s) => {
      await removeImage(s, 'built')
      await s.api('POST', '/build/prune?all=1')
    },
    // Fresh layers are kept for a while in case that an image is about to name them.
    settle: async (s) => await s.restart(),
  },
  {
    name: 'forget what builds keep',
    prepare: async (s) => {
      await s.must('build', '-q', '-t', 'kept', makeContext(s))
      await removeImage(s, 'kept')
    },
    act: async (s) => await s.api('POST', '/build/prune?all=1'),
    isDone: async () => await Promise.resolve(false),
    undo: async (s) => await s.api('POST', '/build/prune?all=1'),
    settle: async (s) => await s.restart(),
  },
]

const others: readonly Operation[] = [
  {
    name: 'connect a container to a network and take it out again',
    prepare: async (s) => {
      await s.api('POST', '/networks/create', { Name: 'street' })
      await create(s, 'guest', PUBLISHED)
      await start(s, 'guest')
    },
    act: async (s) => {
      const joined = async () => 'street' in (await s.inspect('guest')).NetworkSettings.Networks
      if (!(await joined())) await s.api('POST', '/networks/street/connect', { Container: 'guest' })
      await s.api('POST', '/networks/bridge/disconnect', { Container: 'guest' })
    },
    isDone: async (s) => !('bridge' in (await s.inspect('guest')).NetworkSettings.Networks),
    verify: async (s) => {
      const { NetworkSettings } = await s.inspect('guest')
      assert.deepEqual(Object.keys(NetworkSettings.Networks), ['street'])
      const address = NetworkSettings.Networks['street']?.IPAddress ?? ''
      assert.match(await execOutput(s, 'guest', 'ip', 'addr'), new RegExp(address.replaceAll('.', '\\.')))
      assert.match(await execOutput(s, 'guest', 'ip', 'route'), /default via/)
    },
    undo: async (s) => {
      await remove(s, 'guest')
      await removeObject(s, '/networks/street')
    },
  },
  {
    name: 'create and remove a network',
    prepare: async () => await Promise.resolve(),
    act: async (s) => {
      if (!(await isThere(s, '/networks/lane'))) await s.api('POST', '/networks/create', { Name: 'lane' })
      await remove(s, 'passer')
      await s.must('run', '--rm', '--name', 'passer', '--network', 'lane', 'busybox', 'true')
      await s.api('DELETE', '/networks/lane')
    },
    isDone: async () => await Promise.resolve(false),
    undo: async (s) => {
      await remove(s, 'passer')
      await removeObject(s, '/networks/lane')
    },
  },
  {
    name: 'create and remove a volume',
    prepare: async () => await Promise.resolve(),
    act: async (s) => {
      await s.api('POST', '/volumes/create', { Name: 'cellar' })
      await s.api('DELETE', '/volumes/cellar')
    },
    isDone: async () => await Promise.resolve(false),
    undo: async (s) => await removeObject(s, '/volumes/cellar?force=1'),
  },
]

/** `offer` names an image at a registry. */
export function operations(offer: string): readonly Operation[] {
  const pull: Operation = {
    name: 'pull an image',
    prepare: async () => await Promise.resolve(),
    act: async (s) => await s.must('pull', '-q', offer),
    isDone: async (s) => await hasImage(s, offer),
    undo: async (s) => await removeImage(s, offer),
  }
  return [...containers, ...images, pull, ...others]
}
