/** One machine runs some dozens of services, a cluster some hundreds; each round looks at those that changed. */
export const MAX_SERVICES = 5000
/** More than this is a slip of the keyboard. */
export const MAX_REPLICAS = 10_000
/** Made or ended in one transaction: well below what a store takes at once. */
export const MAX_CHANGES_AT_ONCE = 500
/** What anybody looks at when a service crashes again and again. */
export const KEPT_TASKS_PER_SLOT = 5
/** As far back as somebody wants to go. */
export const KEPT_REVISIONS = 10
/** Of a canary. */
export const KEPT_JUDGEMENTS = 20
/** Counted against a ratio of the replicas: names of more say nothing more. */
export const KEPT_FAILED_TASKS = 100
/** Since a node went down: shorter outages (a restart of the daemon, a cable) move nothing. */
export const ORPHAN_AFTER_MS = 30_000
/** Without a health or readiness check, having run for so long is all that can be asked of a new task before an old one goes. */
export const PROOF_MS = 1500
/** Most of what cannot run at all ends within this: nothing is called ready before. */
export const BEGUN_MS = 300
