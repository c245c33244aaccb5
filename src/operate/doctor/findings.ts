import type { HostFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { engineFindings } from './findings-engine.ts'
import { kernelFindings } from './findings-kernel.ts'
import { networkFindings } from './findings-network.ts'
import { resourceFindings } from './findings-resources.ts'

/** Pure: everything that can be said of these facts, in a fixed order, one finding an id. */
export function findings(facts: HostFacts): readonly Finding[] {
  return [...kernelFindings(facts), ...engineFindings(facts), ...networkFindings(facts), ...resourceFindings(facts)]
}
