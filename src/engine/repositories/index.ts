/**
 * Repositories of the registry that this machine serves: manifests, tags and blobs as pushed, byte for byte (OCI distribution specification 1.1,
 * Docker's schema 2). Blobs are files of their own directory that may be hard links to those of the image store, so that neither side can
 * take bytes from the other, and no bytes are there twice.
 */
export { openAccounts, type Account, type Accounts } from './access/accounts.ts'
export { ACTIONS, allowedActions, readGrant, type Action, type Grant } from './access/grants.ts'
export { createTokens, type Token, type TokenAccess, type Tokens } from './access/tokens.ts'
export { repositoryError } from './errors.ts'
export { MAX_MANIFEST_BYTES, MAX_PAGE } from './limits.ts'
export { checkDigest, checkName, isDigestReference } from './names.ts'
export type * from './port.ts'
export { createRepositories, type RepositoriesNeeds } from './repositories.ts'
export { createProxy, type ProxiedBlob, type Proxy, type ProxyOf, type ProxyUpstream } from './proxy.ts'
export { openRules, readRule, type RetentionRules } from './rules.ts'
