import type {
  Anatomy,
  BootstrapProgress,
  ChangePlan,
  CollectionReport,
  CollectionRun,
  ContainerProcess,
  Finding,
  Kept,
  ShutdownReport,
  StackChange,
  StackDesired,
  StackEvent,
  StackStatus,
  StackSummary,
  WhyReport,
} from '#api/glovebox'

import { json, lines, segment } from './call.ts'
import { checked } from './checked.ts'
import type { Transport } from './transport.ts'

/** Our own API: `/glovebox/v1`. */
export interface GloveboxCalls {
  /** `planId`: only if it is what was shown. */
  putStack(name: string, desired: StackDesired, planId?: string): Promise<StackChange>
  /** What `putStack` would change; nothing is. */
  previewStack(name: string, desired: StackDesired): Promise<ChangePlan>
  /** What `removeStack` would take away; nothing is. */
  previewRemoval(name: string, options: { readonly volumes: boolean }): Promise<ChangePlan>
  stacks(): Promise<readonly StackSummary[]>
  stack(name: string): Promise<StackStatus>
  watchStack(name: string, signal?: AbortSignal): AsyncIterable<StackEvent>
  removeStack(name: string, options: { readonly volumes: boolean }): Promise<void>
  /** Ends with the image's id; a failure on the way is thrown. */
  bootstrap(reference: string, signal?: AbortSignal): AsyncIterable<BootstrapProgress>
  anatomy(container: string): Promise<Anatomy>
  processes(containers: readonly string[]): Promise<readonly ContainerProcess[]>
  doctor(): Promise<readonly Finding[]>
  /** null: everything. */
  why(name: string | null): Promise<WhyReport>
  collectionReport(): Promise<CollectionReport>
  /** What a pass would remove now, and why the other images stay. */
  collectionPreview(): Promise<{ readonly run: CollectionRun; readonly kept: readonly Kept[] }>
  collect(): Promise<CollectionRun>
  shutdown(options: { readonly stopContainers: boolean }): Promise<ShutdownReport>
}

const V1 = '/glovebox/v1'

export function gloveboxCalls(transport: Transport): GloveboxCalls {
  const stackPath = (name: string) => `${V1}/stacks/${segment(name)}`
  const withSignal = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal })
  return {
    putStack: (name, desired, plan) => json(transport, { method: 'PUT', path: stackPath(name), query: { plan }, json: desired }),
    previewStack: (name, desired) => json(transport, { method: 'POST', path: `${stackPath(name)}/preview`, json: desired }),
    previewRemoval: (name, { volumes }) =>
      json(transport, { method: 'GET', path: `${stackPath(name)}/removal`, query: { volumes: volumes ? 1 : 0 } }),
    stacks: () => json(transport, { method: 'GET', path: `${V1}/stacks` }),
    stack: (name) => json(transport, { method: 'GET', path: stackPath(name) }),
    watchStack: (name, signal) =>
      checked(lines<StackEvent>(transport, { method: 'GET', path: `${stackPath(name)}/wait`, ...withSignal(signal) })),
    removeStack: async (name, { volumes }) =>
      void (await json(transport, { method: 'DELETE', path: stackPath(name), query: { volumes: volumes ? 1 : 0 } })),
    bootstrap: (reference, signal) =>
      checked(
        lines<BootstrapProgress>(transport, {
          method: 'POST',
          path: `${V1}/images/bootstrap`,
          json: { ref: reference },
          ...withSignal(signal),
        }),
      ),
    anatomy: (container) => json(transport, { method: 'GET', path: `${V1}/containers/${segment(container)}/anatomy` }),
    processes: (containers) => json(transport, { method: 'GET', path: `${V1}/processes`, query: { container: containers } }),
    collectionReport: () => json(transport, { method: 'GET', path: `${V1}/gc` }),
    collectionPreview: () => json(transport, { method: 'GET', path: `${V1}/gc/preview` }),
    collect: () => json(transport, { method: 'POST', path: `${V1}/gc` }),
    doctor: () => json(transport, { method: 'GET', path: `${V1}/doctor` }),
    why: (name) => json(transport, { method: 'GET', path: `${V1}/why`, ...(name === null ? {} : { query: { name } }) }),
    shutdown: (options) => json(transport, { method: 'POST', path: `${V1}/shutdown`, json: options }),
  }
}
