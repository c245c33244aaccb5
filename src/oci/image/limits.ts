/** Registries must accept manifests of 4 MiB (distribution-spec, "Pushing Manifests"); nobody may count on more. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
/** Configurations carry labels and history; the largest known are some 100 kB. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024
/** The kernel takes at most 500 lower directories in one overlay mount (OVL_MAX_STACK), and the writable part needs none of them. */
export const MAX_LAYERS = 500
/** Entries of one index: platforms times attestations stay below 100. */
export const MAX_INDEX_ENTRIES = 1000
/** An index in an index in an index: more is a loop or an attack. */
export const MAX_INDEX_DEPTH = 3
/** Docker builds one entry an instruction. */
export const MAX_HISTORY = 10_000
/** Environment, labels, ports, words of a command: more cannot be passed to a process anyway. */
export const MAX_CONFIG_ENTRIES = 10_000
/** 2^53 is what JavaScript counts exactly; no blob comes near. */
export const MAX_BLOB_BYTES = Number.MAX_SAFE_INTEGER
