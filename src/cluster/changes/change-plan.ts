import { createHash } from 'node:crypto'

import { canonical } from '#cluster/model'

import type { Operation } from './operation.ts'

/** What is going to be done, as it is shown and as it is carried out. */
export interface ChangePlan {
  /** Of what is going to be another one, not of how long that takes: whoever agreed to it can name it. */
  readonly id: string
  readonly operations: readonly Operation[]
  /** Odd, but no obstacle. */
  readonly warnings: readonly string[]
}

const ID_LENGTH = 16

export function changePlan(operations: readonly Operation[], warnings: readonly string[] = []): ChangePlan {
  const text = canonical(
    operations.map(({ kind, name, action, fields, deletesData }) => [kind, name, action, fields, deletesData]),
  )
  return { id: createHash('sha256').update(text).digest('hex').slice(0, ID_LENGTH), operations, warnings }
}
