/** Of `/glovebox/v1/services`, `/nodes`, `/tasks`, `/history` and `/rebalance`: plain values of the cluster as they are. */
export type { ChangePlan, Effect, Operation, Outage } from '#cluster/changes'
export type { Actor, FieldChange, HistoryEvent, HistoryRecord, RevisionRecord, RolloutRecord } from '#cluster/model'
export type {
  DeployWish,
  MoveView,
  NodeView,
  NodeWish,
  Performed,
  ServiceDetails,
  ServiceEvent,
  ServiceVerb,
  ServiceView,
  TaskView,
} from '#cluster/operations'
