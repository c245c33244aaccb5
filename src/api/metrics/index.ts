/** `/metrics` as Prometheus reads it, on the daemon's own socket and on a port of its own where it is asked for. It shows and changes nothing. */
export { metricsApi, type MetricsApi, type MetricsTexts } from './api.ts'
