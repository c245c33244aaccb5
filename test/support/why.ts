import { request } from 'node:http'

import type { Diagnosis, WhyReport } from '../../src/api/glovebox/index.ts'
import type { TestDaemon } from './daemon.ts'
import { until } from './processes.ts'

/** What the daemon says of one name, or of everything. */
export async function whyOf({ socketPath }: Pick<TestDaemon, 'socketPath'>, name = ''): Promise<WhyReport> {
  const path = `/glovebox/v1/why?name=${encodeURIComponent(name)}`
  return await new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (answer.statusCode === 200) resolve(JSON.parse(text) as WhyReport)
        else reject(new Error(`${answer.statusCode}: ${text}`))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

export interface Expected {
  readonly code: string
  readonly sentence: RegExp
  readonly evidence: RegExp
}

/** Waits until one of the diagnoses of a name is as expected; fails with all that were told last. */
export async function untilWhy(
  daemon: Pick<TestDaemon, 'socketPath'>,
  name: string,
  { code, sentence, evidence }: Expected,
  timeoutMs: number,
): Promise<Diagnosis> {
  let last: unknown
  const isMeant = (one: Diagnosis) =>
    one.code === code && sentence.test(one.sentence) && one.evidence.some((line) => evidence.test(line))
  try {
    return await until(`${name} to be diagnosed`, timeoutMs, async () => {
      const { diagnoses } = await whyOf(daemon, name)
      last = diagnoses.map((one) => [one.code, one.sentence, ...one.evidence])
      return diagnoses.find(isMeant)
    })
  } catch (error) {
    throw new Error(`${name}: wanted ${code}, ${sentence}, ${evidence}; told was ${JSON.stringify(last, null, 2)}`, {
      cause: error,
    })
  }
}
