import assert from 'node:assert/strict'
import { test } from 'node:test'

import { linkEnvironment, linkedHosts } from './container-links.ts'

const db = {
  alias: 'the-db',
  name: 'postgres',
  hostname: 'pg',
  address: '172.18.0.5',
  spec: { exposedPorts: ['9000/udp', '5432/tcp'], process: { env: ['PATH=/bin', 'USER=me'] } },
} as const

test('a linked container is told of in variables, its lowest port first', () => {
  assert.deepEqual(linkEnvironment({ name: 'web' }, [db]), [
    'THE_DB_NAME=/web/the-db',
    'THE_DB_PORT=tcp://172.18.0.5:5432',
    'THE_DB_PORT_5432_TCP=tcp://172.18.0.5:5432',
    'THE_DB_PORT_5432_TCP_ADDR=172.18.0.5',
    'THE_DB_PORT_5432_TCP_PORT=5432',
    'THE_DB_PORT_5432_TCP_PROTO=tcp',
    'THE_DB_PORT_9000_UDP=udp://172.18.0.5:9000',
    'THE_DB_PORT_9000_UDP_ADDR=172.18.0.5',
    'THE_DB_PORT_9000_UDP_PORT=9000',
    'THE_DB_PORT_9000_UDP_PROTO=udp',
    'THE_DB_ENV_USER=me',
  ])
})

test('it is found under its alias, its host name and its own name', () => {
  assert.deepEqual(linkedHosts([db]), ['the-db:172.18.0.5', 'pg:172.18.0.5', 'postgres:172.18.0.5'])
  assert.deepEqual(linkedHosts([{ ...db, alias: 'pg' }]), ['pg:172.18.0.5', 'postgres:172.18.0.5'])
})
