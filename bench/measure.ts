import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. */
export interface Summary {
  readonly runs: number
  readonly minMs: number
  readonly medianMs: number
  readonly p90Ms: number
}

export interface Subject {
  readonly name: string
  /** One measured run. Rejects when it failed: a figure of a failure is no figure. */
  run(): Promise<void>
  /** Puts back what the run changed; not measured. */
  after?(): Promise<void>
}

/** Every engine puts things away after it has answered: that is not to be charged to who comes next. */
const PAUSE_MS = 150

/**
 * What one left unwritten in the page cache is written by whoever next asks for anything to be on the disk. So it is written in between, and
 * each pays for its own.
 */
async function settle(pauseMs: number): Promise<void> {
  await sleep(pauseMs)
  await command('sync', [])
}

/** Runs the subjects in turn, A B C A B C …, so that a machine that slows down slows all of them; after each a pause and a clean page cache. */
export async function inTurn(
  subjects: readonly Subject[],
  runs: number,
  warmups = 2,
  pauseMs = PAUSE_MS,
): Promise<ReadonlyMap<string, Summary>> {
  const times = new Map<string, number[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < runs + warmups; round += 1) {
    for (const subject of subjects) {
      const start = performance.now()
      await subject.run()
      if (round >= warmups) times.get(subject.name)?.push(performance.now() - start)
      await subject.after?.()
      await settle(pauseMs)
    }
  }
  return new Map([...times].map(([name, values]) => [name, summarise(values)]))
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { runs: sorted.length, minMs: at(0), medianMs: at(0.5), p90Ms: at(0.9) }
}

/** A whole process, started and waited for. */
export async function command(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const out: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with exit code ${code}: ${Buffer.concat(complaints).toString()}`)
  return Buffer.concat(out).toString()
}
