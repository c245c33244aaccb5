import { type Field, withoutNulls } from './fields.ts'
import { readRareResources } from './read-host.ts'
import type { LogSpec, ResourceSpec } from './model.ts'

const NANO = 1e9

/** From `deploy.resources` and the older fields beside it; Compose wants them to agree where both are there. */
export function readResources(service: Field): ResourceSpec {
  const deploy = service.child('deploy').child('resources')
  deploy.only(['limits', 'reservations'])
  const limits = deploy.child('limits')
  limits.only(['cpus', 'memory', 'pids'])
  const reservations = deploy.child('reservations')
  reservations.only(['cpus', 'memory'], {
    devices: 'there are no devices that are counted, such as GPUs: name them under "devices"',
    generic_resources: "there are no resources of one's own: constrain the placement by labels of nodes",
  })
  const cpus = both(service.child('cpus'), limits.child('cpus'), (field) => field.decimal())
  const reservedCpus = reservations.child('cpus').decimal()
  return {
    memoryBytes: both(service.child('mem_limit'), limits.child('memory'), (field) => field.bytes()),
    memorySwapBytes: service.child('memswap_limit').bytes(),
    memoryReservationBytes: both(service.child('mem_reservation'), reservations.child('memory'), (field) => field.bytes()),
    nanoCpus: cpus === null ? null : Math.round(cpus * NANO),
    reservedNanoCpus: reservedCpus === null ? null : Math.round(reservedCpus * NANO),
    cpuShares: service.child('cpu_shares').whole(),
    cpusetCpus: service.child('cpuset').text() ?? '',
    pidsLimit: both(service.child('pids_limit'), limits.child('pids'), (field) => field.whole({ min: -1 })),
    shmBytes: service.child('shm_size').bytes(),
    ulimits: readUlimits(service.child('ulimits')),
    ...readRareResources(service),
  }
}

function both<T>(old: Field, deploy: Field, read: (field: Field) => T | null): T | null {
  const value = read(deploy)
  const other = read(old)
  if (value !== null && other !== null && value !== other)
    old.refuse(`${JSON.stringify(old.value)} contradicts ${JSON.stringify(deploy.value)} under "deploy"`)
  return value ?? other
}

export function readUlimits(ulimits: Field): ResourceSpec['ulimits'] {
  return ulimits.entries().flatMap(([name, limit]) => readUlimit(name, limit))
}

function readUlimit(name: string, limit: Field) {
  if (!limit.isMapping()) {
    const both = limit.whole({ min: -1 })
    return both === null ? [] : [{ name, soft: both, hard: both }]
  }
  limit.only(['soft', 'hard'])
  const soft = limit.child('soft').whole({ min: -1 })
  const hard = limit.child('hard').whole({ min: -1 })
  return soft === null || hard === null ? [] : [{ name, soft, hard }]
}

/** Empty: what the daemon of the node says. */
const LOG_DRIVERS = ['', 'json-file', 'local', 'none'] as const

export function readLog(logging: Field): LogSpec {
  logging.only(['driver', 'options'])
  const driver = logging.child('driver')
  const name = driver.text() ?? ''
  const known = LOG_DRIVERS.find((one) => one === name)
  if (known === undefined) driver.refuse(`log driver "${name}" is not supported: use json-file, local or none`)
  return { driver: known ?? '', options: withoutNulls(logging.child('options').pairs()) }
}
