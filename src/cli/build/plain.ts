import { decimalSize } from '../output/human.ts'
import { cleanLine } from './clean-line.ts'
import { instructionText, moveText, type BuildNews, type BuildView, type StepView } from './view.ts'

/** Builds as lines of a log: `#5 0.312 text`. Deterministic: the same news give the same lines. */
export interface PlainLines {
  /** What to write after a piece of news; `build` is as it is after it. */
  take(build: BuildView, news: BuildNews, nowMs: number): readonly string[]
}

/** Numbers go over all builds, so that lines of several can be told apart. */
export function plainLines(): PlainLines {
  const numbers = new Map<string, number>()
  const rests = new Map<string, string>()
  let last = 0
  const about = (build: BuildView, key: string, head: string, lines: readonly string[]): string[] => {
    if (lines.length === 0) return []
    const known = numbers.get(`${build.title}\0${key}`)
    const number = known ?? numbers.size + 1
    numbers.set(`${build.title}\0${key}`, number)
    const isOther = last !== number
    const gap = isOther && last !== 0 ? [''] : []
    last = number
    return [...gap, ...(isOther ? [`#${number} ${head}`] : []), ...lines.map((line) => `#${number} ${line}`.trimEnd())]
  }
  const aboutStep = (build: BuildView, step: StepView, lines: readonly string[]) =>
    about(build, String(step.number), headOf(build, step), lines)
  const outputOf = (build: BuildView, step: StepView, text: string, nowMs: number): string[] => {
    const key = `${build.title}\0${step.number}`
    const parts = ((rests.get(key) ?? '') + text).split('\n')
    const rest = parts.pop() ?? ''
    const seconds = (Math.max(0, nowMs - step.startedMs) / 1000).toFixed(3)
    const lines = aboutStep(
      build,
      step,
      parts.map((part) => `${seconds} ${cleanLine(part)}`),
    )
    rests.set(key, rest)
    return lines
  }
  /** What its command left without a line feed. */
  const ended = (build: BuildView, step: StepView, words: string, nowMs: number): string[] => {
    const rest = rests.get(`${build.title}\0${step.number}`) ?? ''
    return [...(rest === '' ? [] : outputOf(build, step, '\n', nowMs)), ...aboutStep(build, step, [words])]
  }
  return {
    take: (build, news, nowMs) => {
      if (news.kind === 'context')
        return news.isDone ? about(build, 'context', `${prefix(build)}load build context`, contextLines(build)) : []
      if (news.kind === 'tagged')
        return about(build, 'image', `${prefix(build)}exporting to image`, [`naming to ${cleanLine(news.reference)} done`])
      if (news.kind === 'image')
        return about(build, 'image', `${prefix(build)}exporting to image`, [`writing image ${news.id} done`])
      if (news.kind === 'failed') {
        const failed = build.steps.filter((step) => step.state === 'failed')
        return failed.flatMap((step) => ended(build, step, 'ERROR', nowMs))
      }
      if (news.kind === 'moving') return about(build, moveText(news), `${prefix(build)}${news.what}`, [moveText(news)])
      if (news.kind === 'moved') return about(build, moveText(news), `${prefix(build)}${news.what}`, movedLines(build, news))
      if (!('number' in news)) return []
      const step = build.steps.findLast(({ number }) => number === news.number)
      if (step === undefined) return []
      if (news.kind === 'step-running') return aboutStep(build, step, ['RUNNING']).filter((line) => !line.endsWith(' RUNNING'))
      if (news.kind === 'output') return outputOf(build, step, news.text, nowMs)
      if (news.kind === 'step-done')
        return ended(build, step, news.isCached ? 'CACHED' : `DONE ${(news.durationMs / 1000).toFixed(1)}s`, nowMs)
      return []
    },
  }
}

const prefix = (build: BuildView) => (build.title === '' ? '[internal] ' : `[${build.title} internal] `)

function headOf(build: BuildView, step: StepView): string {
  return `[${build.title === '' ? '' : `${build.title} `}${step.label}] ${instructionText(step.text)}`
}

function contextLines({ context }: BuildView): readonly string[] {
  if (context === undefined) return []
  const { fileCount, wantedCount, sentBytes, tookMs } = context
  return [
    `transferring context: ${fileCount} files, ${wantedCount} changed, ${decimalSize(sentBytes)} done`,
    `DONE ${(tookMs / 1000).toFixed(1)}s`,
  ]
}

function movedLines(build: BuildView, news: Extract<BuildNews, { kind: 'moved' }>): readonly string[] {
  const move = build.moves.findLast(({ what, place }) => what === news.what && place === news.place)
  return [...(news.digest === null ? [] : [`digest ${news.digest}`]), `DONE ${((move?.tookMs ?? 0) / 1000).toFixed(1)}s`]
}
