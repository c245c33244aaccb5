import type { Ending, Explanation } from './ending.ts'
import { knownError } from './known-errors.ts'
import { explainByLog } from './log-signs.ts'
import { endedByMemory, memoryLine } from './memory.ts'
import { quoted, span } from './words.ts'

/** What an end comes from, the surest sign first. Null: it ended as it was meant to. */
export function explainEnd(ending: Ending): Explanation | null {
  const { container } = ending
  if (ending.isOomKilled)
    return {
      code: 'end.out_of_memory',
      what: `was killed because it needed more memory than ${limitOf(ending)}`,
      evidence: [
        `exit code ${ending.exitCode ?? 'unknown'}, killed by the kernel for want of memory`,
        ...endedByMemory(container),
        ...lastLines(ending),
      ],
      advice: memoryAdvice(ending),
    }
  const sick = ILL.exec(ending.error)
  if (sick !== null) return stoppedBecauseIll(ending, sick)
  if (ending.error !== '') return couldNotStart(ending)
  if (ending.exitCode === null || ending.exitCode === 0 || ending.isStoppedByHand) return null
  const sign = explainByLog(ending)
  if (sign !== null) return sign
  return { ...byExitCode(ending, ending.exitCode), evidence: [...exitLines(ending), ...lastLines(ending)] }
}

/** As the node's agent says why it stops a task. */
const ILL = /^(is unhealthy|failed its liveness check)(?:: ([\s\S]*))?$/

function stoppedBecauseIll(ending: Ending, [, what, said = '']: RegExpExecArray): Explanation {
  const isLiveness = what !== 'is unhealthy'
  return {
    code: isLiveness ? 'health.liveness' : 'health.unhealthy',
    what: isLiveness
      ? 'is stopped and started again because it fails its liveness check'
      : 'is stopped and started again because it is unhealthy',
    evidence: [...(said.trim() === '' ? [] : [`the check says: ${quoted(said)}`]), ...exitLines(ending), ...lastLines(ending)],
    advice: 'See what the check asks for and what the log says; if it is only slow, give the check more time or more failures.',
  }
}

function couldNotStart(ending: Ending): Explanation {
  const known = knownError(ending.error, ending)
  const evidence = [quoted(ending.error)]
  if (known !== undefined) return { ...known, evidence }
  return {
    code: 'start.failed',
    what: `could not start: ${quoted(ending.error)}`,
    evidence,
    advice: 'The error names what is in the way; put it right and start it again.',
  }
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL, an instruction that this processor does not have',
  6: 'SIGABRT: it gave up by itself',
  7: 'SIGBUS',
  8: 'SIGFPE, such as a division by zero',
  9: 'SIGKILL',
  11: 'SIGSEGV: it used memory that is not its own',
  13: 'SIGPIPE',
  15: 'SIGTERM',
  31: 'SIGSYS: a system call that it may not make',
}
const FIRST_SIGNAL = 128

function byExitCode(ending: Ending, exitCode: number): Omit<Explanation, 'evidence'> {
  const logs = logsOf(ending)
  if (exitCode === 127)
    return {
      code: 'end.command_not_found',
      what: 'ended with exit code 127: a command that it runs was not found',
      advice: `Its last lines name it; build it into the image, or correct the command. ${logs}`,
    }
  if (exitCode === 126)
    return {
      code: 'end.not_executable',
      what: 'ended with exit code 126: a command that it runs may not be executed',
      advice: `Its last lines name it; make the file executable. ${logs}`,
    }
  if (exitCode === FIRST_SIGNAL + 9)
    return {
      code: 'end.killed',
      what: 'was killed (exit code 137), and neither by us nor for want of its own memory',
      advice: `See who sent SIGKILL: the host may be out of memory (\`dmesg\`), or somebody killed it by hand. ${logs}`,
    }
  const signal = SIGNALS[exitCode - FIRST_SIGNAL]
  if (signal !== undefined)
    return { code: 'end.signal', what: `ended by a signal (exit code ${exitCode}, ${signal})`, advice: logs }
  return { code: 'end.exit_code', what: `ended with exit code ${exitCode}`, advice: logs }
}

function logsOf({ container }: Ending): string {
  return container === undefined ? 'See its log.' : `\`glovebox logs ${container.name}\` shows all that it wrote.`
}

function exitLines({ exitCode, ranMs }: Ending): readonly string[] {
  if (exitCode === null) return []
  return [`exit code ${exitCode}${ranMs === null ? '' : ` after ${span(ranMs)}`}`]
}

/** As many as tell the end of a stack trace. */
const SHOWN_LINES = 5

export function lastLines({ container }: Pick<Ending, 'container'>): readonly string[] {
  return (container?.lastLines ?? []).slice(-SHOWN_LINES).map((line) => `log: ${quoted(line)}`)
}

function limitOf({ container }: Ending): string {
  return memoryLine(container?.memory.limitBytes ?? null)
}

function memoryAdvice({ container }: Ending): string {
  const limit = container?.memory.limitBytes ?? null
  const more = limit === null ? 'Give the host more memory' : 'Raise the limit (deploy.resources.limits.memory, or --memory)'
  return `${more}, or find what needs so much: \`glovebox stats\` shows it while it runs.`
}
