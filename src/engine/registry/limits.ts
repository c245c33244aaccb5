/** Layers of all pulls together that come at a time, as dockerd's default: more connections do not make a line faster. */
export const MAX_DOWNLOADS = 3
/** Layers of all pushes together that are compressed and sent at a time; each keeps a thread of the pool busy. */
export const MAX_UPLOADS = 3

/** Time for the name, the connection and TLS. */
export const CONNECT_TIMEOUT_MS = 30_000
/** A connection on which nothing moves for so long is dead: registries that build an answer send something within seconds. */
export const IDLE_TIMEOUT_MS = 60_000

/** Tries of one request before it fails. Five with back-off span some ten seconds: a restart of a registry. */
export const MAX_TRIES = 5
/** A download goes on from where it broke; tries are counted anew when it moved, but a line that breaks for ever must end. */
export const MAX_RESUMES = 100
export const RETRY_BACKOFF = { firstMs: 500, maxMs: 8_000 } as const
/** What a `Retry-After` may ask for; a registry that wants more is as good as down for a user who waits. */
export const MAX_RETRY_AFTER_MS = 30_000

/** Blob stores behind registries redirect once, some twice. */
export const MAX_REDIRECTS = 5
/** One for the challenge, one for a token that ran out on the way. */
export const MAX_AUTH_ROUNDS = 2
/** A token is some KiB; those with many scopes some ten. */
export const MAX_TOKEN_BYTES = 256 * 1024
/** Tokens without `expires_in` last 60 seconds (distribution, token specification); shorter ones would be asked for at every layer. */
export const MIN_TOKEN_LIFE_MS = 60_000
/** Whatever a server says: a token is not kept longer than a pull may take. */
export const MAX_TOKEN_LIFE_MS = 60 * 60 * 1000
/** A refusal longer than this is no message for people. */
export const MAX_REFUSAL_BYTES = 64 * 1024
/** So much of a foreign text is repeated in an error message. */
export const SHOWN_CHARACTERS = 300

/** Compressed forms of one layer that are remembered: gzip by us, and by those it was pulled from. */
export const MAX_FORMS_PER_LAYER = 4
/** Repositories of one form that are remembered: the newest are the likeliest to have it still. */
export const MAX_HOMES_PER_FORM = 8
/** Layers of which forms are remembered: some 1 KiB each. */
export const MAX_REMEMBERED_LAYERS = 10_000
/** Progress of one layer is told in steps of this size. */
export const PROGRESS_STEP_BYTES = 512 * 1024
/** Pulling every tag of a repository is for small ones: a thousand images fill a disk. */
export const MAX_TAGS = 1000
/** A page of a thousand tags has at most 128 KiB. */
export const MAX_TAG_LIST_BYTES = 1024 * 1024
