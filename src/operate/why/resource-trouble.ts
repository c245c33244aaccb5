import type { Diagnosis } from './diagnosis.ts'
import type { ContainerFacts, SlowEnd } from './facts.ts'
import { fullMount } from './log-signs.ts'
import { curve } from './memory.ts'
import { containerSubjects, serviceSubjects, whoIs, type Scene } from './scene.ts'
import { binary, counted, sentence, span } from './words.ts'

/** What containers that run lack, or soon will; and those that would not end. */
export function diagnoseResources(scene: Scene): readonly Diagnosis[] {
  const running = scene.containers.filter(({ state }) => state === 'running')
  return [
    ...running.flatMap((container) => [
      ...memory(scene, container),
      ...fullVolume(scene, container),
      ...goneSource(scene, container),
    ]),
    ...scene.slowEnds.flatMap((end) => slowEnd(scene, end)),
  ]
}

/** What is left is gone with the next request. */
const NEAR_LIMIT = 0.95

function memory(scene: Scene, container: ContainerFacts): readonly Diagnosis[] {
  const { limitBytes, kills, samples } = container.memory
  const now = samples.at(-1)
  const base = { about: containerSubjects(scene, container), because: [], severity: 'warning' as const }
  const who = whoIs(scene, container)
  if (kills > 0)
    return [
      {
        ...base,
        code: 'memory.process_killed',
        sentence: sentence(
          `${who} runs, but the kernel killed ${counted(kills, 'process', 'processes')} of it for want of memory`,
        ),
        evidence: [`limit ${limitBytes === null ? 'none' : binary(limitBytes)}`, ...curve(samples)],
        advice: 'Raise its memory limit, or see which of its processes needs so much: `glovebox top`.',
        sinceMs: null,
      },
    ]
  if (limitBytes === null || now === undefined || now.bytes < limitBytes * NEAR_LIMIT) return []
  return [
    {
      ...base,
      code: 'memory.near_limit',
      sentence: sentence(`${who} has nearly all the memory that it may have: ${binary(now.bytes)} of ${binary(limitBytes)}`),
      evidence: curve(samples),
      advice: 'Raise its limit before the kernel kills it, or find what needs so much.',
      sinceMs: now.atMs,
    },
  ]
}

function fullVolume(scene: Scene, container: ContainerFacts): readonly Diagnosis[] {
  const full = fullMount(container)
  if (full === undefined) return []
  return [
    {
      code: 'volume.full',
      severity: 'warning',
      about: containerSubjects(scene, container),
      because: [],
      sentence: sentence(
        `${full.type === 'volume' ? `The volume ${full.source}` : full.source} of ${whoIs(scene, container)} is full`,
      ),
      evidence: [`${full.target}: ${binary(full.availableBytes ?? 0)} of ${binary(full.totalBytes ?? 0)} left`],
      advice: 'Make room in it, or give it a larger file system.',
      sinceMs: null,
    },
  ]
}

function goneSource(scene: Scene, container: ContainerFacts): readonly Diagnosis[] {
  const gone = container.mounts.find(({ isThere }) => !isThere)
  if (gone === undefined) return []
  return [
    {
      code: 'mount.source_gone',
      severity: 'warning',
      about: containerSubjects(scene, container),
      because: [],
      sentence: sentence(
        `${whoIs(scene, container)} will not start again: ${gone.source}, which it has at ${gone.target}, is gone from the host`,
      ),
      evidence: [`${gone.type} ${gone.source} at ${gone.target}: not there any more; it still has what was mounted`],
      advice: `Put ${gone.source} back before it is started again.`,
      sinceMs: null,
    },
  ]
}

/** Told for so long. */
const TOLD_MS = 60 * 60_000

function slowEnd(
  scene: Scene,
  { containerId, containerName, serviceId, taskName, atMs, graceMs, signal }: SlowEnd,
): readonly Diagnosis[] {
  if (scene.nowMs - atMs > TOLD_MS) return []
  const service = serviceId === null ? undefined : scene.serviceById(serviceId)
  const who =
    service === undefined || taskName === null
      ? containerName
      : service.stack === null
        ? taskName
        : `${service.stack}/${taskName}`
  return [
    {
      code: 'stop.killed',
      severity: 'note',
      about: [
        { kind: 'container', id: containerId, name: containerName },
        ...(service === undefined ? [] : serviceSubjects(service)),
      ],
      because: [],
      sentence: sentence(`${who} did not end within ${span(graceMs)} of ${signal} and was killed`),
      evidence: [`${signal}, ${span(graceMs)} of grace, then SIGKILL: exit code 137`, `${span(scene.nowMs - atMs)} ago`],
      advice:
        'Have the program end on that signal (as process 1 it has to ask for it: `init: true` helps), name another `stop_signal`, or give it a longer `stop_grace_period`.',
      sinceMs: atMs,
    },
  ]
}
