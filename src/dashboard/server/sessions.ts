import { createHash, timingSafeEqual } from 'node:crypto'

import type { Clock, Random, RecordStore } from '#base'

/** A working day: who comes back after it signs in again. Only what the user does counts, not the live stream of a page left open. */
export const IDLE_MS = 10 * 3_600_000
/** However busy: a stolen browser profile is worth something for a week at most. */
export const ABSOLUTE_MS = 7 * 24 * 3_600_000
/** Browsers of one person; the one that was used least lately goes. */
export const MAX_PER_USER = 20
export const MAX_SESSIONS = 2000
/** How exact the time of the last use is on disk. */
const NOTE_EVERY_MS = 60_000
const TOKEN_BYTES = 32

interface SessionRow {
  readonly user: string
  readonly isLocal: boolean
  /** SHA-256 of the half that scripts hold. */
  readonly proofHash: string
  readonly createdAtMs: number
  readonly seenAtMs: number
}

export interface Session {
  /** Hash of its token: its name inside the daemon. */
  readonly id: string
  readonly user: string
  readonly isLocal: boolean
}

/**
 * Who is signed in. A session has two halves: the token, in a cookie that scripts cannot read, and the proof, which the page keeps for its own
 * origin. Browsers send cookies to every port of a host, so an application beside the dashboard gets the one, and never the other.
 * Only hashes of both are written down.
 */
export interface Sessions {
  begin(of: { readonly user: string; readonly isLocal: boolean }): {
    readonly token: string
    readonly proof: string
    readonly session: Session
  }
  /** undefined: there is none such, or it is over. `isUse`: the user did something. */
  find(token: string, proof: string, isUse: boolean): Session | undefined
  isAlive(id: string): boolean
  end(id: string): void
  /** All of a user's, but for one that may stay. */
  endAllOf(user: string, except?: string): void
  countOf(user: string): number
  /** Called once when the session is over by `end`; not when it runs out. */
  onEnd(id: string, then: () => void): Disposable
}

export function openSessions(of: { readonly records: RecordStore; readonly random: Random; readonly clock: Clock }): Sessions {
  const { clock } = of
  const table = of.records.table<SessionRow>('dashboard-sessions')
  const rows = new Map(table.entries())
  const noted = new Map<string, number>()
  const ends = new Map<string, Set<() => void>>()

  const drop = (id: string) => {
    rows.delete(id)
    noted.delete(id)
    table.delete(id)
    const told = ends.get(id) ?? []
    ends.delete(id)
    for (const then of told) then()
  }
  const isOver = ({ createdAtMs, seenAtMs }: SessionRow) =>
    clock.nowMs() - createdAtMs >= ABSOLUTE_MS || clock.nowMs() - seenAtMs >= IDLE_MS
  const alive = (id: string): SessionRow | undefined => {
    const row = rows.get(id)
    if (row === undefined || !isOver(row)) return row
    drop(id)
    return undefined
  }
  const ofUser = (user: string) => [...rows].filter(([, row]) => row.user === user)
  const makeRoom = (user: string) => {
    for (const id of [...rows.keys()]) alive(id)
    const oldestFirst = (list: readonly (readonly [string, SessionRow])[]) =>
      list.toSorted(([, a], [, b]) => a.seenAtMs - b.seenAtMs)
    for (const [id] of oldestFirst(ofUser(user)).slice(0, Math.max(0, ofUser(user).length - MAX_PER_USER + 1))) drop(id)
    for (const [id] of oldestFirst([...rows]).slice(0, Math.max(0, rows.size - MAX_SESSIONS + 1))) drop(id)
  }
  return {
    begin: ({ user, isLocal }) => {
      makeRoom(user)
      const token = of.random.bytes(TOKEN_BYTES).toString('hex')
      const proof = of.random.bytes(TOKEN_BYTES).toString('hex')
      const nowMs = clock.nowMs()
      const row: SessionRow = { user, isLocal, proofHash: hashOf(proof), createdAtMs: nowMs, seenAtMs: nowMs }
      const id = hashOf(token)
      table.put(id, row)
      rows.set(id, row)
      return { token, proof, session: { id, user, isLocal } }
    },
    find: (token, proof, isUse) => {
      const id = hashOf(token)
      const row = alive(id)
      if (row === undefined || !isSame(hashOf(proof), row.proofHash)) return undefined
      if (isUse) {
        const nowMs = clock.nowMs()
        const seen = { ...row, seenAtMs: nowMs }
        rows.set(id, seen)
        if (nowMs - (noted.get(id) ?? row.seenAtMs) >= NOTE_EVERY_MS) {
          noted.set(id, nowMs)
          table.note(id, seen)
        }
      }
      return { id, user: row.user, isLocal: row.isLocal }
    },
    isAlive: (id) => alive(id) !== undefined,
    end: drop,
    endAllOf: (user, except) => {
      for (const [id, row] of ofUser(user)) if (id !== except && !row.isLocal) drop(id)
    },
    countOf: (user) => ofUser(user).filter(([id, row]) => !row.isLocal && alive(id) !== undefined).length,
    onEnd: (id, then) => {
      const list = ends.get(id) ?? new Set()
      ends.set(id, list.add(then))
      return {
        [Symbol.dispose]: () => {
          list.delete(then)
          if (list.size === 0) ends.delete(id)
        },
      }
    },
  }
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
