/**
 * Sources that ADD takes from elsewhere: files over HTTP, and trees of git repositories. Addresses are read into values (`parseRemote`, pure);
 * `createRemoteSources` fetches them. What comes is bytes in a spool and never a path on the host. Addresses of this machine, of its link
 * and of cloud metadata services are refused, after redirects and look-ups of names as well, unless the build may use the host's network.
 * git, xz and bzip2 are programs of the host, run without hooks, settings or files of anybody else; without them the error says what to
 * install. Errors: `build.remote_*`, `build.checksum_mismatch`, `build.program_missing`.
 */
export { createRemoteSources, type RemoteSourcesNeeds } from './remote-sources.ts'
export { decompressor } from './decompress.ts'
export { describeRemote, isRemote, isRemoteContext, parseRemote, parseRemoteContext } from './parse-remote.ts'
export type {
  Decompress,
  Downloaded,
  FetchOptions,
  GitSource,
  HttpSource,
  RemoteSource,
  RemoteSources,
  Validators,
} from './port.ts'
