/** Metrics for a Prometheus elsewhere, or whatever else takes remote write 1.0: each reading is sent in order, again while nobody answers, within a bound. */
export { startRemoteWrite, type RemoteAnswer, type RemoteWrite, type RemoteWritePorts } from './remote-write.ts'
