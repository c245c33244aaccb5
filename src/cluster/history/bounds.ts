/** Of one service: months of a service that is changed every other day. */
export const KEPT_OF_SERVICE = 200
/** Of them: a service that crashes again and again must not push out who changed it. */
export const KEPT_RESTARTS = 50
/** Longer than anybody looks back for the cause of something that happens now. */
export const KEPT_MS = 90 * 24 * 3_600_000
/** Of all services, those that are gone included: about 20 MB. */
export const KEPT_IN_ALL = 20_000
/** One revision may change everything; what is told of it stays readable, and far below what a value may be. */
export const MAX_FIELDS = 100
/** Of the JSON of one field's value. */
export const MAX_FIELD_CHARS = 1000
