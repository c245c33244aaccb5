import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { planRecovery, type RecoveryFacts } from './recovery-plan.ts'

const layers: RecoveryFacts['layers'] = [
  { name: 'a', kind: 'erofs', mountPoint: '/r/m/0', index: '/r/layers/a/index' },
  { name: 'b', kind: 'erofs', mountPoint: '/r/m/1', index: '/r/layers/b/index' },
  { name: 'c', kind: 'directory', mountPoint: '/r/m/2', index: '/r/layers/c/index' },
]
const containers = [
  { id: 'x', rootfs: '/r/containers/x/rootfs' },
  { id: 'y', rootfs: '/r/containers/y/rootfs' },
]

test('what is mounted as recorded is adopted, what is not recorded is unmounted', () => {
  const plan = planRecovery({
    kind: 'erofs',
    layers,
    containers,
    mounts: [
      { target: '/r/m/0', type: 'erofs', source: '/r/layers/a/index' },
      { target: '/r/m/9', type: 'erofs', source: '/r/layers/gone/index' },
      { target: '/r/containers/x/rootfs', type: 'overlay', source: 'overlay' },
      { target: '/elsewhere/view', type: 'overlay', source: 'overlay' },
    ],
  })
  assert.deepEqual(plan, {
    unmount: ['/elsewhere/view', '/r/m/9'],
    layers: [
      { name: 'a', action: 'adopt-attached' },
      { name: 'b', action: 'adopt' },
      { name: 'c', action: 'adopt' },
    ],
    mountedContainers: ['x'],
  })
})

test('after a reboot nothing is mounted and everything is known', () => {
  const plan = planRecovery({ kind: 'erofs', layers, containers, mounts: [] })
  assert.deepEqual([plan.unmount, plan.mountedContainers], [[], []])
  assert.ok(plan.layers.every(({ action }) => action === 'adopt'))
})

test('on a kernel that lost EROFS only directories stay', () => {
  const plan = planRecovery({ kind: 'directory', layers, containers, mounts: [] })
  assert.deepEqual(
    plan.layers.map(({ action }) => action),
    ['discard', 'discard', 'adopt'],
  )
})

test('safety: a mount is either unmounted or adopted, never both; a layer under another index is never adopted as attached', () => {
  const anyMount = fc.record({
    target: fc.constantFrom('/r/m/0', '/r/m/1', '/r/m/2', '/r/m/7', ...containers.map(({ rootfs }) => rootfs), '/v'),
    type: fc.constantFrom('erofs', 'overlay', 'tmpfs'),
    source: fc.constantFrom('/r/layers/a/index', '/r/layers/b/index', 'overlay'),
  })
  fc.assert(
    fc.property(
      fc.uniqueArray(anyMount, { selector: ({ target }) => target }),
      fc.constantFrom('erofs' as const, 'directory' as const),
      (mounts, kind) => {
        const plan = planRecovery({ kind, layers, containers, mounts })
        const adopted = [
          ...plan.layers
            .filter(({ action }) => action === 'adopt-attached')
            .map(({ name }) => layers.find((layer) => layer.name === name)?.mountPoint),
          ...plan.mountedContainers.map((id) => containers.find((container) => container.id === id)?.rootfs),
        ]
        assert.equal(adopted.length + plan.unmount.length, mounts.length)
        assert.deepEqual(new Set([...adopted, ...plan.unmount]), new Set(mounts.map(({ target }) => target)))
        for (const { name, action } of plan.layers) {
          const layer = layers.find((each) => each.name === name)
          const mount = mounts.find(({ target }) => target === layer?.mountPoint)
          if (action === 'adopt-attached') assert.equal(mount?.source, layer?.index)
        }
      },
    ),
  )
})
