/** Whom to ask about a service. Shown where something is wrong with it. */
export interface PeopleSpec {
  /** A team or a person. Empty: nobody said. */
  readonly owner: string
  /** An address of mail, a channel, a number. */
  readonly contact: string
  /** An address of the page that says what to do. */
  readonly runbook: string
}
