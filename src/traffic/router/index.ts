/**
 * The router: what comes in at ports of the host, by host, path or TLS name, spread over tasks by one HAProxy. Backends, weights, names and certificates change through its
 * runtime socket, the structure by reloads that lose no connection. It outlives the daemon and is found again by its files.
 */
export type { LookUp } from './addresses.ts'
export { checkRoute } from './check-route.ts'
export { proxyConfig, type ConfigOptions, type ProxyConfig } from './config.ts'
export { routeError } from './errors.ts'
export { nodeProcesses } from './haproxy-process.ts'
export { LATENCY_BOUNDS_MS, metricsBetween, percentile, type GroupMetrics } from './histogram.ts'
export type {
  Backend,
  BackendGroup,
  BackendMetrics,
  BackendStatus,
  Histogram,
  MetricCounts,
  ProcessPort,
  ProxyServer,
  Route,
  RouteFailure,
  RouteMetrics,
  Router,
  RouterStatus,
  RouteStatus,
} from './port.ts'
export { openRouter, type RouterOptions } from './router.ts'
export { backendWeights } from './weights.ts'
