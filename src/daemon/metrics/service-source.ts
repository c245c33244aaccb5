import { isEnded, prefixOf, TASK_STATES, type NodeRecord, type RunRecord, type TaskRecord } from '#cluster/model'
import type { Mirror, ServiceSight, Services } from '#cluster/services'
import { familyWriters, joinLabels, labelText, type MetricSource, type MetricSpec, type Wish } from '#observe/metrics'

const gauge = (name: string, help: string, isKept = true): MetricSpec => ({ name, help, type: 'gauge', isKept })

const SPECS = {
  desired: gauge('glovebox_service_desired_tasks', 'Tasks that a service is to have.'),
  running: gauge('glovebox_service_running_tasks', 'Of them those that run.'),
  ready: gauge('glovebox_service_ready_tasks', 'Of them those that are of the wanted revision, and ready.'),
  completed: gauge('glovebox_service_completed_tasks', 'Of a job: tasks of its last run that ended well.', false),
  revision: gauge('glovebox_service_revision', 'The revision that is wanted.', false),
  waits: gauge('glovebox_service_waits', 'Reasons for which a service is not as it is wanted.'),
  rollingOut: gauge('glovebox_service_rollout_in_progress', 'Whether a change of it is under way.'),
  taskRunning: gauge('glovebox_task_running', 'Whether a task runs.', false),
  taskReady: gauge('glovebox_task_ready', 'Whether it is ready: it gets traffic.', false),
  tasks: gauge('glovebox_cluster_tasks', 'Tasks of the cluster by state.'),
  pending: gauge('glovebox_scheduler_pending_tasks', 'Tasks that wait for a node.'),
  nodes: gauge('glovebox_cluster_nodes', 'Machines of the cluster by state.'),
  runs: gauge('glovebox_job_running_runs', 'Runs of a job that are under way.'),
  revisionOfStore: gauge('glovebox_cluster_store_revision', 'Revision of the store of the cluster: writes since it was made.'),
} as const

type Writers = ReturnType<typeof familyWriters<keyof typeof SPECS>>['of']

export interface ServiceSourceNeeds {
  readonly services: Pick<Services, 'list'>
  readonly mirror: Pick<Mirror, 'range' | 'revision'>
}

/** What is wanted of services, and how far it is. */
export function serviceSource({ services, mirror }: ServiceSourceNeeds): MetricSource {
  return {
    name: 'services',
    read: async (wish) => {
      const { of, families } = familyWriters(SPECS)
      const sights = await services.list()
      for (const sight of sights) ofService(of, sight)
      const tasks = mirror.range<TaskRecord>(prefixOf('task')).map(({ value }) => value)
      ofTasks(of, tasks, sights, wish)
      ofCluster(of, mirror)
      return families()
    },
  }
}

function serviceLabels({ record, revision }: ServiceSight): string {
  return labelText({ stack: record.stack ?? '', service: record.stack === null ? record.name : revision.spec.name })
}

function ofService(of: Writers, sight: ServiceSight): void {
  const labels = serviceLabels(sight)
  const { rollout } = sight.record
  of.desired.set(labels, sight.desiredTasks)
  of.running.set(labels, sight.runningTasks)
  of.ready.set(labels, sight.readyTasks)
  of.completed.set(labels, sight.completedTasks)
  of.revision.set(labels, sight.record.revision)
  of.waits.set(labels, sight.waits.length)
  of.rollingOut.set(labels, rollout !== null && rollout.endedAtMs === null ? 1 : 0)
}

/** A slot has one series, of its youngest task: the name of a task that is replaced is the next one's. */
function ofTasks(of: Writers, tasks: readonly TaskRecord[], sights: readonly ServiceSight[], wish: Wish): void {
  const states = new Map<string, number>(TASK_STATES.map((state) => [state, 0]))
  for (const { status } of tasks) states.set(status.state, (states.get(status.state) ?? 0) + 1)
  for (const [state, count] of states) of.tasks.set(labelText({ state }), count)
  of.pending.set('', (states.get('new') ?? 0) + (states.get('pending') ?? 0))
  if (wish === 'history') return
  const labels = new Map(sights.map((sight) => [sight.record.id, serviceLabels(sight)]))
  const youngest = new Map<string, TaskRecord>()
  for (const task of tasks) {
    const text = labels.get(task.serviceId)
    if (text === undefined || isEnded(task.status.state)) continue
    const key = joinLabels(text, labelText({ task: String(task.slot ?? task.nodeId ?? 0) }))
    if ((youngest.get(key)?.createdAtMs ?? 0) <= task.createdAtMs) youngest.set(key, task)
  }
  for (const [key, { status }] of youngest) {
    of.taskRunning.set(key, status.state === 'running' ? 1 : 0)
    of.taskReady.set(key, status.isReady ? 1 : 0)
  }
}

const NODE_STATES = ['unknown', 'ready', 'down', 'disconnected'] as const satisfies readonly NodeRecord['status']['state'][]

function ofCluster(of: Writers, mirror: ServiceSourceNeeds['mirror']): void {
  const nodes = mirror.range<NodeRecord>(prefixOf('node')).map(({ value }) => value.status.state)
  for (const state of NODE_STATES) of.nodes.set(labelText({ state }), nodes.filter((one) => one === state).length)
  const runs = mirror.range<RunRecord>(prefixOf('run')).filter(({ value }) => value.state === 'running')
  of.runs.set('', runs.length)
  of.revisionOfStore.set('', mirror.revision())
}
