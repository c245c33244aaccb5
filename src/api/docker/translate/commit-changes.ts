import type { JsonObject } from '#api/http'

import { dockerError } from '../errors.ts'
import { CREATE_BODY } from './create-fields.ts'
import { refuseOtherFields, type FieldTable } from './fields.ts'
import { healthSpec } from './health.ts'
import { readerOf } from './read.ts'

/** ContainerConfig as POST /commit takes it: what an image can hold is obeyed, what only a container can be is passed over, as dockerd does. */
export const COMMIT_BODY: FieldTable = {
  fields: {
    ...Object.fromEntries(Object.keys(CREATE_BODY.fields).map((name) => [name, 'reported' as const])),
    User: 'taken',
    ExposedPorts: 'taken',
    Env: 'taken',
    Cmd: 'taken',
    Entrypoint: 'taken',
    Volumes: 'taken',
    WorkingDir: 'taken',
    Labels: 'taken',
    StopSignal: 'taken',
    Shell: 'taken',
    OnBuild: 'taken',
    Healthcheck: CREATE_BODY.fields['Healthcheck'] ?? 'taken',
  },
}

/**
 * The configuration in the body of a commit as the lines of a Dockerfile that say the same: one way for both to be laid over the container's.
 * Errors: `docker.field_invalid`, `docker.field_unsupported`.
 */
export function commitChanges(json: JsonObject): readonly string[] {
  refuseOtherFields(json, COMMIT_BODY)
  const body = readerOf(json)
  const words = (instruction: string, name: string) => {
    const list = body.texts(name)
    return list === null || list.length === 0 ? [] : [`${instruction} ${JSON.stringify(list)}`]
  }
  const one = (instruction: string, name: string) =>
    body.text(name) === '' ? [] : [`${instruction} ${plain(body.text(name), name)}`]
  return [
    ...body.texts('Env', []).map((entry) => `ENV ${pair(entry, 'Env')}`),
    ...Object.entries(body.textMap('Labels')).map(
      ([name, value]) => `LABEL ${quoted(name, 'Labels')}=${quoted(value, 'Labels')}`,
    ),
    ...body.keys('ExposedPorts').map((port) => `EXPOSE ${plain(port, 'ExposedPorts')}`),
    ...body.keys('Volumes').map((path) => `VOLUME ${JSON.stringify([literal(path)])}`),
    ...one('USER', 'User'),
    ...one('WORKDIR', 'WorkingDir'),
    ...one('STOPSIGNAL', 'StopSignal'),
    ...words('SHELL', 'Shell'),
    ...words('ENTRYPOINT', 'Entrypoint'),
    ...words('CMD', 'Cmd'),
    ...body.texts('OnBuild', []).map((trigger) => `ONBUILD ${plain(trigger, 'OnBuild')}`),
    ...healthLines(body),
  ]
}

function pair(entry: string, at: string): string {
  const mark = entry.indexOf('=')
  if (mark < 1) throw dockerError('docker.field_invalid', `invalid environment variable: ${entry}`)
  return `${plain(entry.slice(0, mark), at)}=${quoted(entry.slice(mark + 1), at)}`
}

/** Between quotes a Dockerfile still expands variables and takes escapes (Dockerfile reference, "Environment replacement"). */
function quoted(text: string, at: string): string {
  return `"${plain(text, at).replaceAll(/[\\"$]/g, (mark) => `\\${mark}`)}"`
}

function literal(text: string): string {
  return text.replaceAll('$', '\\$')
}

/** A line of a Dockerfile has no way to hold the end of a line. */
function plain(text: string, at: string): string {
  if (/[\r\n\0]/.test(text))
    throw dockerError('docker.field_unsupported', `${at}: ${JSON.stringify(text.slice(0, 100))} spans lines`)
  return text
}

function healthLines(body: ReturnType<typeof readerOf>): readonly string[] {
  const asked = body.innerOrNull('Healthcheck')
  if (asked?.texts('Test')?.[0] === 'NONE') return ['HEALTHCHECK NONE']
  const health = healthSpec(asked, null)
  if (health === null) return []
  const [kind, ...command] = health.test
  const options = [
    `--interval=${health.intervalMs}ms`,
    `--timeout=${health.timeoutMs}ms`,
    ...(health.startPeriodMs > 0 ? [`--start-period=${health.startPeriodMs}ms`] : []),
    `--start-interval=${health.startIntervalMs}ms`,
    `--retries=${health.retries}`,
  ]
  const words = kind === 'CMD-SHELL' ? plain(command[0] ?? '', 'Healthcheck.Test') : JSON.stringify(command)
  return [['HEALTHCHECK', ...options, 'CMD', words].join(' ')]
}
