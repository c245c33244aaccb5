import type { Diagnosis, Subject } from './diagnosis.ts'
import type { NodeFacts } from './facts.ts'
import type { Scene } from './scene.ts'
import { binary, quoted, sentence, span } from './words.ts'

/** Nodes that are away or get no tasks, and the machine itself. */
export function diagnoseHosts(scene: Scene): readonly Diagnosis[] {
  return [...scene.nodes.flatMap((node) => ofNode(scene, node)), ...disks(scene), ...memory(scene), ...clock(scene)]
}

function subject({ id, hostname }: Pick<NodeFacts, 'id' | 'hostname'>): Subject {
  return { kind: 'node', id, name: hostname }
}

function own({ nodes, host }: Scene): readonly Subject[] {
  return [subject(nodes.find(({ id }) => id === host.nodeId) ?? { id: host.nodeId, hostname: 'this machine' })]
}

function ofNode(scene: Scene, node: NodeFacts): readonly Diagnosis[] {
  const base = { about: [subject(node)], because: [], sinceMs: node.sinceMs }
  const running = scene.tasks.filter((task) => task.nodeId === node.id && !task.isEnded).length
  const evidence = [`availability ${node.availability}, state ${node.state}, ${running} tasks on it`]
  if (node.state === 'down' || node.state === 'disconnected')
    return [
      {
        ...base,
        code: 'node.down',
        severity: 'failure',
        sentence: sentence(
          `Node ${node.hostname} is ${node.state} for ${span(scene.nowMs - node.sinceMs)}${node.message === '' ? '' : `: ${quoted(node.message)}`}`,
        ),
        evidence,
        advice: `See whether its daemon runs and reaches the others; when it will not come back: \`docker node rm --force ${node.hostname}\`.`,
      },
    ]
  if (node.availability === 'active') return []
  const isDrained = node.availability === 'drain'
  return [
    {
      ...base,
      code: isDrained ? 'node.drained' : 'node.paused',
      severity: 'note',
      sentence: `Node ${node.hostname} is ${isDrained ? 'drained: its tasks go elsewhere and it gets no new ones' : 'paused: it gets no new tasks'}.`,
      evidence,
      advice: `\`glovebox node update --availability active ${node.hostname}\` gives it tasks again.`,
    },
  ]
}

/** Below this nothing of any size can be written; below that share it is soon so. */
const FULL_BYTES = 16 * 1024 ** 2
const NEARLY_FULL_BYTES = 1024 ** 3
const NEARLY_FULL_SHARE = 0.05

function disks(scene: Scene): readonly Diagnosis[] {
  return scene.host.disks.flatMap(({ path, what, availableBytes, totalBytes }): readonly Diagnosis[] => {
    const isFull = availableBytes < FULL_BYTES
    const isNear = availableBytes < NEARLY_FULL_BYTES && availableBytes < totalBytes * NEARLY_FULL_SHARE
    if (totalBytes === 0 || (!isFull && !isNear)) return []
    return [
      {
        code: 'host.disk',
        severity: isFull ? 'failure' : 'warning',
        about: own(scene),
        because: [],
        sentence: `The disk that holds ${what} is ${isFull ? 'full' : 'nearly full'}: ${binary(availableBytes)} of ${binary(totalBytes)} are left.`,
        evidence: [`${path}: ${binary(availableBytes)} available`],
        advice:
          '`glovebox system df` shows what takes it, `glovebox system prune` and `glovebox system gc --now` remove what nothing uses.',
        sinceMs: null,
      },
    ]
  })
}

const LITTLE_MEMORY_BYTES = 64 * 1024 ** 2

function memory(scene: Scene): readonly Diagnosis[] {
  const { availableMemoryBytes, memoryBytes } = scene.host
  if (memoryBytes === 0 || availableMemoryBytes >= LITTLE_MEMORY_BYTES) return []
  return [
    {
      code: 'host.memory',
      severity: 'warning',
      about: own(scene),
      because: [],
      sentence: `The machine has hardly any memory left: ${binary(availableMemoryBytes)} of ${binary(memoryBytes)}.`,
      evidence: ['the kernel kills processes when there is none'],
      advice: 'Stop something, give containers limits, or add memory: `glovebox stats` shows who has it.',
      sinceMs: null,
    },
  ]
}

function clock(scene: Scene): readonly Diagnosis[] {
  const { knownPastMs } = scene.host
  if (knownPastMs === null || scene.nowMs >= knownPastMs) return []
  return [
    {
      code: 'host.clock',
      severity: 'warning',
      about: own(scene),
      because: [],
      sentence: `The clock is wrong: it says ${new Date(scene.nowMs).toISOString()}, and files of ours are younger.`,
      evidence: [`the youngest is of ${new Date(knownPastMs).toISOString()}`],
      advice: 'Set the clock, and have it kept (`timedatectl set-ntp true`): certificates and schedules depend on it.',
      sinceMs: null,
    },
  ]
}
