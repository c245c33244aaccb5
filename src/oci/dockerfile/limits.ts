/** Dockerfiles are read whole and kept in memory; generated ones of honest size stay far below this. */
export const MAX_DOCKERFILE_LENGTH = 4 * 1024 * 1024
/** Each instruction may become a step, with a key and an entry in the image's history. */
export const MAX_INSTRUCTIONS = 10_000
/** `${a:-${b:-…}}`: each level is a frame on the stack of the parser. */
export const MAX_EXPANSION_DEPTH = 100
/** All characters that the expansion of one word may produce, so that `ENV a=$b$b` chains cannot fill the memory. */
export const MAX_EXPANSION_LENGTH = 1024 * 1024
/** Comparisons of a character with a pattern in one `${x//pattern/text}`: about a second. */
export const MAX_PATTERN_STEPS = 20_000_000
