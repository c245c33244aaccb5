/**
 * Network policy: who may open connections to whom. Applications may not talk to each other unless what is talked to says so; inside one everything may;
 * the way outside is open unless a network says otherwise. The kernel judges, by sets of addresses; what it refuses is counted.
 */
export { checkPolicy, type PolicyAnswer } from './check.ts'
export { policyError } from './errors.ts'
export { startPolicy, type Policy, type PolicyNeeds } from './loop.ts'
export { mayTalk, type MayTalk } from './matrix.ts'
export {
  PLAIN_RULES,
  type PolicedNetwork,
  type PolicedService,
  type PolicedStack,
  type PolicedTask,
  type PolicyRules,
  type PolicySource,
  type RefusedAttempt,
} from './port.ts'
