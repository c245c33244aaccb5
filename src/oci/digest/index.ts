/**
 * Digests (image-spec, descriptor.md, "Digests"): a strict grammar, checked before a digest becomes part of any path or address,
 * and verification of bytes as they stream by. What is stored goes by sha256; sha512 is read and verified only.
 */
export { digestError } from './errors.ts'
export { digestHex, digestOf, isDigest, parseDigest, parseVerifiableDigest, type VerifiableDigest } from './digest.ts'
export { verifier, type ExpectedBytes, type Verifier } from './verify.ts'
