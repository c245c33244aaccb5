/**
 * Garbage collection: images, results of build steps and leftovers that nobody needs go by themselves, by age and when the disk is short. What is
 * in use never does. The plan is a value with a reason for each removal; every pass is written down and told of.
 */
export { createCollection } from './collection.ts'
export { collectionError } from './errors.ts'
export { openImageUse, type ImageUse } from './image-use.ts'
export type { CollectionNeeds, ImageReferrer } from './needs.ts'
export { planCollection } from './plan.ts'
export { DEFAULT_POLICY, policyText, readPolicy } from './policy.ts'
export type * from './port.ts'
