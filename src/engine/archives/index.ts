/**
 * Archives: files in and out of a container, running or not, and an image out of what it changed. No name from an archive and no link
 * of a container is ever looked up by the daemon itself: a small program does that from inside the container's root, where nothing
 * of the host can be named. What an archive asks for is decided here; that program only obeys.
 */
export { createArchives } from './archives.ts'
export { archiveError } from './errors.ts'
export type { ArchivesNeeds } from './needs.ts'
export { resumePaused } from './paused.ts'
export type { Archives, CommitRequest, PathStat } from './port.ts'
