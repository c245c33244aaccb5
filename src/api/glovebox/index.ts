/**
 * Glovebox's own HTTP API, `/glovebox/v1/...` on the same socket as the Docker Engine API: stacks, bootstrapped base images, the anatomy
 * of a container, processes of all containers, garbage collection, the doctor, and the way to end the daemon. Wire types, routes, and the ports they stand on.
 */
export { apiError } from './errors.ts'
export { readVerb } from './read-verb.ts'
export { type GloveboxApi, gloveboxApi } from './serve.ts'
export type {
  AnatomyPort,
  BootstrapPort,
  BuildsPort,
  CollectionPort,
  CommandLinePort,
  CommandStreams,
  DashboardPort,
  DoctorPort,
  GloveboxApiPorts,
  MetricsPort,
  JobsPort,
  PolicyPort,
  ProcessesPort,
  RegistryPort,
  RoutesPort,
  ShutdownPort,
  StacksPort,
  WhyPort,
} from './ports.ts'
export { API_PREFIX, errorStatus } from './statuses.ts'
export type { CommandCall, CommandMessage, CommandStream } from './wire-command.ts'
export type { DashboardLink, DashboardRole, DashboardStatus, DashboardUser, DashboardUserChange } from './wire-dashboard.ts'
export { wireErrorOf } from './wire-error.ts'
export type {
  Anatomy,
  AnatomyCgroup,
  AnatomyLayer,
  AnatomyMount,
  AnatomyNamespace,
  AnatomyNetwork,
  AnatomyProcess,
} from './wire-anatomy.ts'
export type {
  BuildPlace,
  BuildReport,
  BuildWish,
  WireAnnotation,
  WireDirectory,
  ComparedContext,
  WireBuildLimits,
  WireCacheEntry,
  WireCachePrune,
  WireCacheSource,
  WireCacheTarget,
  WireContextEntry,
  WireLayerForm,
  WireOutline,
  WireOutput,
  WireTarget,
} from './wire-builds.ts'
export type {
  CollectedItem,
  CollectReport,
  Grant,
  RegistryAccount,
  RegistryMirror,
  RegistryStatus,
  RepositoryContent,
  RepositorySummary,
  RetentionRule,
} from './wire-registry.ts'
export { SECRET_PATHS } from './wire-secrets.ts'
export type { SecretDetails, SecretKind, SecretView, WireNewSecret } from './wire-secrets.ts'
export type { MayTalkLine, NameMeaning, PolicyCheck, PolicyReport, RefusedLine, ServiceAddressLine } from './wire-policy.ts'
export type { Difference, EnvironmentChange, EnvironmentView, WireNewEnvironment } from './wire-environments.ts'
export type { JobView, RunEvent, RunOutput, RunTaskView, RunView } from './wire-jobs.ts'
export type {
  Actor,
  ChangePlan,
  DeployWish,
  Effect,
  FieldChange,
  HistoryEvent,
  HistoryRecord,
  MoveView,
  NodeView,
  NodeWish,
  Operation,
  Outage,
  Performed,
  RevisionRecord,
  RolloutRecord,
  ServiceDetails,
  ServiceEvent,
  ServiceVerb,
  ServiceView,
  TaskView,
} from './wire-services.ts'
export type { WireBackend, WireRoute, WireRouteDetail, WireRouteFigures } from './wire-routes.ts'
export type { BootstrapProgress, ContainerProcess, Shutdown, ShutdownReport, WireError } from './wire.ts'
export type {
  ResolvedImage,
  StackChange,
  StackDesired,
  StackValues,
  StackEvent,
  StackPort,
  StackService,
  StackStatus,
  StackSummary,
  StackTask,
} from './wire-stacks.ts'
export type { CollectionReport, CollectionRun, Kept, RemovedItem } from '#engine/collection'
export type { KeptSeries, RangeAnswer, RangeFunction, RangeQuery, RangeSeries } from '#observe/history'
export type { TargetStatus } from '#observe/scraping'
export type { Finding } from '#operate/doctor'
export type { Diagnosis, Subject as DiagnosedSubject, WhyReport } from '#operate/why'
