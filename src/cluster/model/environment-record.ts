/** A copy of an application beside it, under `environment/STACK`: what it is made from stands in its stack, this says whose copy it is and how long it stays. */
export interface EnvironmentRecord {
  /** Name of its stack: `shop--pr-42`. */
  readonly stack: string
  /** `pr-42`. */
  readonly name: string
  /** The application that it belongs to: `shop`. */
  readonly application: string
  /** The stack that it was copied from: the application, or another environment. */
  readonly from: string
  /** `creating`: its stack is not said yet; a daemon that dies meanwhile forgets it. `removing`: its stack goes with its volumes, then the record. */
  readonly state: 'creating' | 'active' | 'removing'
  /** What differs from the source, as it was said: `api.image=api:1.1`. */
  readonly settings: readonly string[]
  /** What was made differently without being asked, for people. */
  readonly notes: readonly string[]
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** null: it stays until somebody removes it. */
  readonly expiresAtMs: number | null
  /** The end that was announced; an end that is put off is announced anew. */
  readonly announcedMs: number | null
  /** Why it is being removed; empty: it is not. */
  readonly reason: string
}
