import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { busyboxImage, startTestDaemon } from '../kernel/daemon-fixture.ts'
import { groupFile } from './guest.ts'

const MIB = 1024 * 1024
const OUTER = '/outer'
const CONTROLLERS = ['cpu', 'memory', 'pids', 'io', 'cpuset']
/** Enters the group, makes it the root of a cgroup namespace, mounts that, and becomes what follows. */
const ENTER = `
echo $$ > /sys/fs/cgroup${OUTER}/cgroup.procs
exec unshare --cgroup --mount --propagation private sh -c '
  umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh "$@"`

test('inside a container, whose root group is an ordinary one, limits work too', { timeout: 120_000 }, async () => {
  mkdirSync(`/sys/fs/cgroup${OUTER}`)
  for (const name of CONTROLLERS) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', `+${name}`)
  const daemon = await startTestDaemon([], ['sh', '-c', ENTER, 'sh'])
  try {
    await daemon.importImage('busybox:v2', busyboxImage())
    const id = await daemon.start('busybox:v2', ['sleep', '1000'], { HostConfig: { Memory: 64 * MIB, PidsLimit: 20 } })
    const group = `${OUTER}/glovebox/${daemon.name}/${id}`
    assert.equal(groupFile(group, 'memory.max'), String(64 * MIB))
    assert.equal(groupFile(group, 'pids.max'), '20')
    assert.equal((await daemon.exec(id, ['cat', '/sys/fs/cgroup/memory.max'])).output.trim(), String(64 * MIB))
    assert.equal(readFileSync(`/sys/fs/cgroup${OUTER}/cgroup.procs`, 'utf8'), '')
    await daemon.client.containers.remove(id, { force: true })
    assert.equal(groupFile(group, 'memory.max'), undefined)
  } finally {
    await daemon.dispose()
  }
})
