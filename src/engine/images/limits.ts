/** Images of one archive, or of one `save`. A mirror of a whole registry would be split before this. */
export const MAX_ARCHIVE_IMAGES = 1000
/** Entries of one archive: 500 layers of three files each for every image is far below. */
export const MAX_ARCHIVE_ENTRIES = 200_000
/** The largest known archives have some 100 GiB. */
export const MAX_ARCHIVE_BYTES = 512 * 1024 ** 3
/** Layers that a build or a load added and no image names yet are collected after this time: their maker is long gone. */
export const FRESH_LAYER_MS = 60 * 60 * 1000
/** Progress of one layer is told in steps of this size, so that a load of 10 GB sends some thousand lines and not a million. */
export const PROGRESS_STEP_BYTES = 4 * 1024 * 1024
/** Progress that nobody reads is not gathered beyond this. */
export const MAX_UNREAD_PROGRESS = 10_000
/** Layers of one archive that are flushed and indexed while the next ones come in. */
export const MAX_LAYERS_UNDER_WAY = 4
