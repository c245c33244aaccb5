import assert from 'node:assert/strict'
import { test } from 'node:test'

import { CONNECT_BODY, DISCONNECT_BODY } from '../routes/networks.ts'
import { EXEC_BODY, EXEC_START_BODY } from '../routes/execs.ts'
import { VOLUME_BODY } from '../routes/volumes.ts'
import { apiDescription } from '../testing/description.ts'
import { COMMIT_BODY } from './commit-changes.ts'
import { CREATE_BODY, ENDPOINT, UPDATE_BODY } from './create-fields.ts'
import type { FieldRule, FieldTable } from './fields.ts'
import { NETWORK_BODY } from './network-request.ts'

/** Only what no version describes may be passed over: all else is obeyed, or refused by name. */
for (const minor of [41, 51])
  test(`every field of a request that 1.${minor} describes is known`, () => {
    const description = apiDescription(minor)
    const missing = (place: string, table: FieldTable) =>
      description
        .fields(place)
        .filter((name) => !Object.hasOwn(table.fields, name))
        .map((name) => `${place}: ${name}`)
    const hostConfig = inner(CREATE_BODY, 'HostConfig')
    const pairs: readonly (readonly [string, FieldTable])[] = [
      ['POST /containers/create', CREATE_BODY],
      ['ContainerConfig', CREATE_BODY],
      ['HostConfig', hostConfig],
      ['RestartPolicy', inner(hostConfig, 'RestartPolicy')],
      ['Mount', inner(hostConfig, 'Mounts')],
      ['HealthConfig', inner(CREATE_BODY, 'Healthcheck')],
      ['EndpointSettings', ENDPOINT],
      ['EndpointIPAMConfig', inner(ENDPOINT, 'IPAMConfig')],
      ['POST /containers/{id}/update', UPDATE_BODY],
      ['POST /containers/{id}/exec', EXEC_BODY],
      ['POST /exec/{id}/start', EXEC_START_BODY],
      ['POST /networks/create', NETWORK_BODY],
      ['POST /networks/{id}/connect', CONNECT_BODY],
      ['POST /networks/{id}/disconnect', DISCONNECT_BODY],
      ['POST /volumes/create', VOLUME_BODY],
      ['POST /commit', COMMIT_BODY],
    ]
    assert.deepEqual(
      pairs.flatMap(([place, table]) => [
        ...missing(place, table),
        ...(description.fields(place).length === 0 ? [`${place}: nothing is described`] : []),
      ]),
      [],
    )
  })

function inner(table: FieldTable, name: string): FieldTable {
  const rule: FieldRule | undefined = table.fields[name]
  if (typeof rule !== 'object') throw new Error(`${name} is no structure of the table`)
  return 'each' in rule ? rule.each : rule
}
