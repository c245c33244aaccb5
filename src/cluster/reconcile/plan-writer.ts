import { type Snapshot, type Step, UNDER_WAY, type Wait } from './steps.ts'

/** A step that failed this often in a row will hardly succeed by itself. */
const HOPELESS_FAILURES = 3

/** Gathers the steps and waits of a plan, and holds back what is under way or has just failed. */
export interface PlanWriter {
  step(step: Step): void
  wait(wait: Omit<Wait, 'untilMs' | 'isHopeless'> & Partial<Wait>): void
  readonly steps: readonly Step[]
  readonly waits: readonly Wait[]
}

export function planWriter(snapshot: Snapshot): PlanWriter {
  const steps: Step[] = []
  const waits: Wait[] = []
  const wait: PlanWriter['wait'] = (entry) => void waits.push({ untilMs: null, isHopeless: false, ...entry })
  return {
    steps,
    waits,
    wait,
    step: (step) => {
      const { stack, service, subject } = step
      const task = subject.startsWith('task/') ? subject.slice('task/'.length) : null
      const underWay = snapshot.busy.get(subject)
      const failure = snapshot.memory.stepFailures.get(subject)
      if (underWay !== undefined) return wait({ stack, service, task, reason: `${named(subject)} ${UNDER_WAY[underWay.type]}` })
      if (steps.some((other) => other.subject === subject)) return
      if (failure !== undefined && failure.nextAtMs > snapshot.nowMs) {
        const isHopeless = failure.failures >= HOPELESS_FAILURES
        return wait({ stack, service, task, reason: failure.reason, untilMs: failure.nextAtMs, isHopeless })
      }
      steps.push(step)
    },
  }
}

/** A task's own name says what it is; of other things the kind is said. */
function named(subject: string): string {
  return subject.startsWith('task/') ? subject.slice('task/'.length) : `the ${subject.replace('/', ' ')}`
}
