import type { BuildPlace, BuildReport, WireOutline, WireTarget } from '#api/glovebox'
import type { ContextProgress } from '#client'

import { cleanLine } from './clean-line.ts'

/** What there is to tell of a build: what the daemon reports, and how the context goes over. */
export type BuildNews = BuildReport | ({ readonly kind: 'context' } & ContextProgress) | { readonly kind: 'failed' }

export interface StepView {
  readonly number: number
  /** `web 2/4`: its stage, and where in it. */
  readonly label: string
  readonly text: string
  readonly place: BuildPlace
  readonly state: 'waiting' | 'running' | 'done' | 'cached' | 'failed'
  readonly startedMs: number
  readonly tookMs: number
  /** The last lines that its command wrote, and when. */
  readonly lines: readonly OutputLine[]
  /** What came since the last line feed. */
  readonly rest: string
}

export interface OutputLine {
  readonly atMs: number
  readonly text: string
}

/** Images, caches and files on their way out or in. */
export interface MoveView {
  readonly what: 'push' | 'output' | 'cache-import' | 'cache-export'
  readonly place: string
  readonly isDone: boolean
  /** What it is known by there. */
  readonly digest: string | null
  readonly startedMs: number
  readonly tookMs: number
}

export interface WarningView {
  readonly check: string | null
  readonly place: BuildPlace
  readonly message: string
}

/** A build as far as it is known; each piece of news makes another one. */
export interface BuildView {
  readonly title: string
  readonly beganMs: number
  readonly total: number
  readonly stages: readonly StageView[]
  readonly context: (ContextProgress & { readonly startedMs: number; readonly tookMs: number }) | undefined
  /** In the order in which they began. */
  readonly steps: readonly StepView[]
  readonly moves: readonly MoveView[]
  readonly warnings: readonly WarningView[]
  readonly imageId: string | undefined
  readonly tags: readonly string[]
  readonly outline: WireOutline | undefined
  readonly targets: readonly WireTarget[]
  readonly hasFailed: boolean
}

interface StageView {
  readonly name: string
  readonly firstStep: number
  readonly lastStep: number
}

/** Of each step; enough to see what went wrong. */
export const KEPT_LINES = 40
/** A program that never ends its line does not fill the memory. */
const MAX_REST_CHARS = 64 * 1024
/** More are not read by anybody. */
const MAX_WARNINGS = 1000

/** `title` names the build among several; empty for one alone. */
export function newBuild(title: string, nowMs: number): BuildView {
  return {
    title,
    beganMs: nowMs,
    total: 0,
    stages: [],
    context: undefined,
    steps: [],
    moves: [],
    warnings: [],
    imageId: undefined,
    tags: [],
    outline: undefined,
    targets: [],
    hasFailed: false,
  }
}

/** Pure: the build after a piece of news. */
export function afterNews(build: BuildView, news: BuildNews, nowMs: number): BuildView {
  switch (news.kind) {
    case 'context': {
      const startedMs = build.context?.startedMs ?? nowMs
      const { fileCount, wantedCount, sentBytes, isDone } = news
      return { ...build, context: { fileCount, wantedCount, sentBytes, isDone, startedMs, tookMs: nowMs - startedMs } }
    }
    case 'planned':
      return { ...build, total: news.stepCount, stages: news.stages }
    case 'step-started': {
      const { number, text, place } = news
      const label = labelOf(build.stages, number, news.total)
      const step = { number, label, text, place, startedMs: nowMs, tookMs: 0, lines: [], rest: '' }
      return { ...build, total: Math.max(build.total, news.total), steps: [...build.steps, { ...step, state: 'waiting' }] }
    }
    case 'step-running':
      return withStep(build, news.number, (step) => ({ ...step, state: 'running', startedMs: nowMs }))
    case 'output':
      return withStep(build, news.number, (step) => withOutput(step, news.text, nowMs))
    case 'step-done':
      return withStep(build, news.number, (step) => ({
        ...withOutput(step, step.rest === '' ? '' : '\n', nowMs),
        state: news.isCached ? 'cached' : 'done',
        tookMs: news.durationMs,
      }))
    case 'warning':
      return build.warnings.length >= MAX_WARNINGS
        ? build
        : { ...build, warnings: [...build.warnings, { check: news.check, place: news.place, message: news.message }] }
    case 'image':
      return { ...build, imageId: news.id }
    case 'tagged':
      return { ...build, tags: [...build.tags, news.reference] }
    case 'moving':
      return {
        ...build,
        moves: [...build.moves, { what: news.what, place: news.place, isDone: false, digest: null, startedMs: nowMs, tookMs: 0 }],
      }
    case 'moved':
      return {
        ...build,
        moves: build.moves.map((move) =>
          isSameMove(move, news) ? { ...move, isDone: true, digest: news.digest, tookMs: nowMs - move.startedMs } : move,
        ),
      }
    case 'outline':
      return { ...build, outline: news.outline }
    case 'targets':
      return { ...build, targets: news.targets }
    case 'output-ready':
      return build
    case 'failed':
      return { ...build, hasFailed: true, steps: build.steps.map((step) => failedStep(step, nowMs)) }
  }
}

function isSameMove(move: MoveView, news: { readonly what: string; readonly place: string }): boolean {
  return !move.isDone && move.what === news.what && move.place === news.place
}

/** Those that run when the build fails: one of them is why. */
function failedStep(step: StepView, nowMs: number): StepView {
  if (step.state === 'done' || step.state === 'cached') return step
  return { ...withOutput(step, step.rest === '' ? '' : '\n', nowMs), state: 'failed', tookMs: nowMs - step.startedMs }
}

function withStep(build: BuildView, number: number, change: (step: StepView) => StepView): BuildView {
  const at = build.steps.findLastIndex((step) => step.number === number)
  const step = build.steps[at]
  return step === undefined ? build : { ...build, steps: build.steps.with(at, change(step)) }
}

function withOutput(step: StepView, text: string, nowMs: number): StepView {
  const parts = (step.rest + text).split('\n')
  const rest = (parts.pop() ?? '').slice(-MAX_REST_CHARS)
  if (parts.length === 0) return { ...step, rest }
  const lines = [...step.lines, ...parts.map((part) => ({ atMs: nowMs - step.startedMs, text: cleanLine(part) }))]
  return { ...step, lines: lines.slice(-KEPT_LINES), rest }
}

function labelOf(stages: readonly StageView[], number: number, total: number): string {
  const index = stages.findIndex(({ firstStep, lastStep }) => firstStep <= number && number <= lastStep)
  const stage = stages[index]
  if (stage === undefined) return `${number}/${total}`
  const place = `${number - stage.firstStep + 1}/${stage.lastStep - stage.firstStep + 1}`
  if (stages.length === 1) return place
  return `${stage.name === '' || /^\d+$/.test(stage.name) ? `stage-${index}` : stage.name} ${place}`
}

/** Done among those that there are. */
export function doneCount(build: BuildView): number {
  return build.steps.filter((step) => step.state === 'done' || step.state === 'cached').length
}

const MOVES = {
  push: 'pushing to',
  output: 'exporting to',
  'cache-import': 'importing cache from',
  'cache-export': 'exporting cache to',
} as const

export function moveText({ what, place }: Pick<MoveView, 'what' | 'place'>): string {
  return `${MOVES[what]} ${cleanLine(place)}`
}

/** The instruction on one line. */
export function instructionText(text: string): string {
  return cleanLine(text.replace(/\s*\\?\n\s*/g, ' '))
}
