/**
 * What builds are made from: a directory, an archive, a Dockerfile alone, an address, as lists of what there is and the content that the daemon asks for.
 * Apart from the client's face because most commands never build.
 */
export { dockerfileSource, streamSource, textOf } from './archive.ts'
export { isAddress, remoteSource } from './remote.ts'
export { directorySource, type DockerfileChoice } from './directory.ts'
export { namedDirectory, type NamedDirectory } from './named-directory.ts'
export { scanTree, type ScanOptions } from './scan.ts'
export { scanMemories, type ScanMemories } from './scan-memory.ts'
export { OWN_FILES, type SourceFiles } from './source-files.ts'
export type { BuildSource, SourceDockerfile } from './source.ts'
