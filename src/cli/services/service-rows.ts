import { shortId } from '#base'
import type { ServiceView, TaskView } from '#api/glovebox'

import type { Listing, Row } from '../listing/listing.ts'
import { printable } from '../output/colour.ts'
import { humanDuration } from '../output/human.ts'
import { truncate } from '../output/table.ts'

export interface RowView {
  readonly isWhole: boolean
  readonly nowMs: number
}

const WHY_WIDTH = 60

/** Under docker's names for fields, and ours beside. */
export const SERVICE_HEADINGS = {
  ID: 'ID',
  Name: 'NAME',
  Stack: 'STACK',
  Mode: 'MODE',
  Replicas: 'TASKS',
  Image: 'IMAGE',
  Ports: 'PORTS',
  State: 'STATE',
  Revision: 'REVISION',
  By: 'BY',
  Why: 'WHY',
} as const

export function serviceListing(services: readonly ServiceView[], view: RowView): Listing {
  return {
    headings: SERVICE_HEADINGS,
    table: ['Name', 'State', 'Replicas', 'Revision', 'Mode', 'Image', 'Ports', 'Why'],
    rows: services.map((service) => serviceRow(service, view)),
  }
}

function serviceRow(service: ServiceView, { isWhole }: RowView): Row {
  const why = printable(service.why ?? '')
  return {
    ID: isWhole ? service.id : shortId(service.id),
    Name: service.title,
    Stack: service.stack ?? '',
    Mode: service.mode,
    Replicas: `${service.mode === 'replicated' || service.mode === 'global' ? service.readyTasks : service.completedTasks}/${service.desiredTasks}`,
    Image: printable(service.image),
    Ports: service.ports.map(portText).join(', '),
    State: stateText(service),
    Revision: String(service.revision),
    By: printable(service.by),
    Why: isWhole ? why : truncate(why, WHY_WIDTH),
  }
}

function stateText({ state, rollout }: ServiceView): string {
  if (rollout === null || rollout.endedAtMs !== null || state === 'removing') return state
  if (rollout.state === 'rolling-back') return 'going back'
  return rollout.state === 'running' && state === 'converging' ? 'rolling out' : state
}

function portText({ published, containerPort, protocol, hostIp }: ServiceView['ports'][number]): string {
  return `${hostIp === '' ? '*' : hostIp}:${published ?? ''}->${containerPort}/${protocol}`
}

export const TASK_HEADINGS = {
  ID: 'ID',
  Name: 'NAME',
  Service: 'SERVICE',
  Node: 'NODE',
  Revision: 'REVISION',
  DesiredState: 'DESIRED',
  CurrentState: 'STATE',
  Health: 'HEALTH',
  Container: 'CONTAINER',
  Restarts: 'RESTARTS',
  Error: 'MESSAGE',
} as const

export function taskListing(tasks: readonly TaskView[], view: RowView): Listing {
  return {
    headings: TASK_HEADINGS,
    table: ['ID', 'Name', 'Revision', 'Node', 'DesiredState', 'CurrentState', 'Health', 'Restarts', 'Error'],
    rows: tasks.map((task) => taskRow(task, view)),
  }
}

function taskRow(task: TaskView, { isWhole, nowMs }: RowView): Row {
  const message = printable(task.message)
  return {
    ID: isWhole ? task.id : shortId(task.id),
    Name: task.name,
    Service: task.service,
    Node: task.node ?? '',
    Revision: String(task.revision),
    DesiredState: task.desiredState,
    CurrentState: `${task.state} ${humanDuration(nowMs - task.sinceMs).toLowerCase()} ago`,
    Health: task.health ?? (task.state === 'running' ? (task.isReady ? 'ready' : 'not ready') : ''),
    Container: task.containerId === null ? '' : isWhole ? task.containerId : shortId(task.containerId),
    Restarts: task.failures === 0 ? '' : String(task.failures),
    Error: isWhole ? message : truncate(message, WHY_WIDTH),
  }
}
