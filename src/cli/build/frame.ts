import { type Paint, widthOf } from '../output/colour.ts'
import { decimalSize } from '../output/human.ts'
import { truncate } from '../output/table.ts'
import { cleanLine } from './clean-line.ts'
import { doneCount, instructionText, moveText, type BuildView, type StepView } from './view.ts'

export interface FrameOptions {
  readonly nowMs: number
  readonly columns: number
  readonly rows: number
  /** The last drawing stays: it shows every step, and no output. */
  readonly isFinal: boolean
  readonly paint: Paint
}

/** Of each running step; fewer when the screen is small. */
const OUTPUT_LINES = 6
/** Below this, times would leave no room for words. */
const MIN_COLUMNS = 20

interface Line {
  readonly text: string
  readonly time: string
  readonly colour: 'plain' | 'dim' | 'blue' | 'red' | 'yellow'
  /** What may be left out when the screen is full, the highest first. */
  readonly weight: number
}

/** Pure: builds as they stand on a terminal, no line wider than it and, unless final, no more lines than it can redraw. */
export function frame(builds: readonly BuildView[], options: FrameOptions): readonly string[] {
  const columns = Math.max(MIN_COLUMNS, options.columns)
  const rows = options.isFinal ? Infinity : Math.max(2, options.rows - 1)
  const outputLines = Math.max(0, Math.min(OUTPUT_LINES, Math.floor(rows / 3 / Math.max(1, runningCount(builds)))))
  const lines = builds.flatMap((build) => linesOf(build, options, outputLines))
  const shown = fit(lines, rows - 1)
  return [headline(builds, options), ...shown.map((line) => drawn(line, columns, options.paint))].map((line) => line.trimEnd())
}

function headline(builds: readonly BuildView[], { nowMs, columns, isFinal, paint }: FrameOptions): string {
  const began = Math.min(...builds.map((build) => build.beganMs))
  const done = builds.reduce((sum, build) => sum + doneCount(build), 0)
  const total = builds.reduce((sum, build) => sum + build.total, 0)
  const hasFailed = builds.some((build) => build.hasFailed)
  const state = hasFailed ? ' FAILED' : isFinal ? ' FINISHED' : ''
  const text = `[+] Building ${seconds(builds.length === 0 ? 0 : nowMs - began)} (${done}/${total})${state}`
  return paint(hasFailed ? 'red' : isFinal ? 'blue' : 'bold', truncate(text, Math.max(MIN_COLUMNS, columns)))
}

function linesOf(build: BuildView, { nowMs, isFinal }: FrameOptions, outputLines: number): readonly Line[] {
  const lines: Line[] = []
  if (build.context !== undefined) {
    const { isDone, fileCount, wantedCount, sentBytes, startedMs, tookMs } = build.context
    const time = seconds(isDone ? tookMs : nowMs - startedMs)
    const what = `${fileCount} files, ${wantedCount} changed, ${decimalSize(sentBytes)}`
    const head = `=> [${build.title === '' ? '' : `${build.title} `}context] ${what}`
    lines.push({ text: head, time, colour: isDone ? 'blue' : 'plain', weight: isDone ? 3 : 0 })
  }
  for (const step of build.steps) lines.push(...stepLines(build, step, nowMs, isFinal ? 0 : outputLines))
  for (const move of build.moves)
    lines.push({
      text: `=> ${build.title === '' ? '' : `[${build.title}] `}${moveText(move)}`,
      time: seconds(move.isDone ? move.tookMs : nowMs - move.startedMs),
      colour: move.isDone ? 'blue' : 'plain',
      weight: move.isDone ? 3 : 0,
    })
  if (build.imageId !== undefined) {
    const names = build.tags.length === 0 ? '' : ` ${build.tags.map(cleanLine).join(', ')}`
    const title = build.title === '' ? '' : `${build.title} `
    lines.push({ text: `=> [${title}image] ${build.imageId.slice(0, 19)}${names}`, time: '', colour: 'blue', weight: 1 })
  }
  return lines
}

function stepLines(build: BuildView, step: StepView, nowMs: number, outputLines: number): readonly Line[] {
  const isOver = step.state === 'done' || step.state === 'cached'
  const isRunning = step.state === 'running' || step.state === 'waiting'
  const mark = step.state === 'cached' ? 'CACHED ' : step.state === 'failed' ? 'ERROR ' : ''
  const head: Line = {
    text: `=> ${mark}[${build.title === '' ? '' : `${build.title} `}${step.label}] ${instructionText(step.text)}`,
    time: seconds(isRunning ? nowMs - step.startedMs : step.tookMs),
    colour: step.state === 'failed' ? 'red' : isOver ? 'blue' : 'plain',
    weight: isOver ? 3 : 0,
  }
  if (!isRunning || outputLines === 0) return [head]
  const all = [...step.lines.map(({ text }) => text), ...(step.rest === '' ? [] : [cleanLine(step.rest)])]
  const output = all.slice(-outputLines).map((text) => ({ text: `=> => # ${text}`, time: '', colour: 'dim' as const, weight: 2 }))
  return [head, ...output]
}

/** Finished steps give way first, the oldest before the others; what was left out is counted. */
function fit(lines: readonly Line[], room: number): readonly Line[] {
  if (lines.length <= room) return lines
  const excess = lines.length - room + 1
  const byWeight = lines.map((line, at) => ({ line, at })).toSorted((a, b) => b.line.weight - a.line.weight || a.at - b.at)
  const gone = new Set(byWeight.slice(0, excess).map(({ at }) => at))
  const steps = lines.filter((line, at) => gone.has(at) && line.weight !== 2).length
  const kept = lines.filter((_, at) => !gone.has(at))
  const note: Line = { text: `=> … ${steps} more`, time: '', colour: 'dim', weight: 0 }
  return room < 1 ? [] : [note, ...kept]
}

function drawn({ text, time, colour }: Line, columns: number, paint: Paint): string {
  const room = columns - 1 - (time === '' ? 0 : widthOf(time) + 1)
  const cut = truncate(text, room)
  const gap = time === '' ? '' : ' '.repeat(Math.max(1, columns - 1 - widthOf(cut) - widthOf(time)))
  const words = colour === 'plain' ? cut : paint(colour, cut)
  return ` ${words}${gap}${time}`
}

function runningCount(builds: readonly BuildView[]): number {
  return builds.reduce(
    (sum, build) => sum + build.steps.filter(({ state }) => state === 'running' || state === 'waiting').length,
    0,
  )
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)}s`
}
