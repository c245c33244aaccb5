import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { checkProcMount } from './proc-mounts.ts'

const volume = (destination: string, source = '/volumes/v') => ({ destination, type: 'bind', source })

test('nothing takes the place of /proc, by whatever name, but the host’s own', () => {
  assert.throws(() => checkProcMount(volume('/proc'), '/proc'), /"\/proc" cannot be mounted because it is not of type proc/)
  assert.throws(() => checkProcMount(volume('/link'), '/proc'), /"\/link" cannot be mounted/)
  assert.throws(() => checkProcMount(volume('/link/sys'), '/proc/sys'), /because it is inside \/proc/)
  checkProcMount(volume('/proc', '/proc'), '/proc')
  checkProcMount({ destination: '/proc', type: 'proc', source: 'proc' }, '/proc')
  checkProcMount(volume('/proc/uptime'), '/proc/uptime')
  checkProcMount(volume('/process'), '/process')
})

test('safety: what is let through below /proc is one of a few files', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('sys', 'self', 'net', 'dev', 'uptime', '1', 'attr')), (parts) => {
      const path = ['/proc', ...parts].join('/')
      try {
        checkProcMount(volume(path), path)
      } catch {
        return
      }
      assert.ok(['/proc/uptime', '/proc/net/dev'].includes(path), path)
    }),
  )
})
