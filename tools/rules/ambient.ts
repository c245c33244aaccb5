import { findAll, type SourceFile, type Violation } from './source.ts'

interface Ban {
  readonly rule: string
  readonly pattern: RegExp
  readonly message: string
  /** Paths where it is the very purpose. */
  readonly except: readonly RegExp[]
}

const BANS: readonly Ban[] = [
  {
    rule: 'ambient-time',
    pattern: /\b(?:setTimeout|setInterval|Date\.now|performance\.now|process\.hrtime)\b|\bnew Date\(\)/g,
    message: 'time is a port: take a Clock',
    except: [/^src\/base\//, /^src\/host\//, /^src\/(cli|client)\//, /^src\/dashboard\/page\//],
  },
  {
    rule: 'ambient-randomness',
    pattern: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b/g,
    message: 'randomness is a port: take a Random',
    except: [/^src\/base\//],
  },
  {
    rule: 'shell-text',
    pattern: /\b(?:exec|execSync)\(|\bshell:\s*true\b/g,
    message: 'give processes argument arrays; shell text is never built',
    except: [],
  },
  {
    rule: 'default-export',
    pattern: /^export default\b/gm,
    message: 'export by name',
    except: [],
  },
  {
    rule: 'module-state',
    pattern: /^(?:export )?let\b/gm,
    message: 'no mutable state at the top of a module',
    except: [],
  },
  {
    rule: 'console',
    pattern: /\bconsole\.(?:log|error|warn|info|debug)\b/g,
    message: 'write through the Log port or the command output',
    except: [],
  },
]

/** Things that only the doors may touch: the clock, randomness, shells. Looks at code only, not at comments and strings. */
export function ambient(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter((file) => file.path.startsWith('src/') && !file.path.endsWith('.test.ts'))
    .flatMap((file) =>
      BANS.filter((ban) => !ban.except.some((path) => path.test(file.path))).flatMap((ban) =>
        findAll(file, ban.pattern)
          .filter(({ match }) => !isMethodCall(file, match, ban))
          .map(({ line, match }) => ({ rule: ban.rule, path: file.path, line, message: `${match.trim()}: ${ban.message}` })),
      ),
    )
}

/** `regex.exec(` and `database.exec(` are not shells: only the functions of node:child_process are meant. */
function isMethodCall(file: SourceFile, match: string, ban: Ban): boolean {
  if (ban.rule !== 'shell-text' || !match.endsWith('(')) return false
  return (
    !file.text.includes("'node:child_process'") ||
    !/import \{[^}]*\bexec(?:Sync)?\b[^}]*\} from 'node:child_process'/.test(file.text)
  )
}
