/**
 * Host: the one door to Linux. Mounts, namespaces, links, nftables, control groups, processes, the file calls that Node lacks,
 * sockets inside other namespaces, and facts about the kernel.
 */
export { formatAddress, formatMac, parseAddress, parseMac } from './address.ts'
export { errnoOf, hostError, type HostErrorCode } from './errors.ts'
export { fakeHost, type FakeHost } from './fake/host.ts'
export type { RecordedCall } from './fake/record.ts'
export { linuxHost, type LinuxHostOptions } from './linux.ts'
export { linuxMachine, type FileSystemFigures, type MachinePort } from './machine.ts'
export type { CpuMode, DiskFigures, MachineTimes, Pressure } from './machine-figures.ts'
export type { Host } from './port.ts'
export { holdUserNamespace, type HeldUserNamespace, type IdRange, type UserMapping } from './user-namespace.ts'
export type { CgroupDeviceIo, CgroupMode, CgroupPort, CgroupSample, CgroupUsage } from './port-cgroups.ts'
export type { FilePort, FileSystemSpace, OpenInRootOptions } from './port-files.ts'
export type {
  BindMount,
  ErofsMount,
  IdmappedMount,
  MountEntry,
  MountPort,
  MountPropagation,
  OverlayMount,
  TmpfsMount,
} from './port-mounts.ts'
export type { ForwardChain, ForwardingPort } from './port-forwarding.ts'
export type { ConnectionFilter, LocalRedirection, NetfilterPort } from './port-netfilter.ts'
export type {
  AddressEntry,
  BoundSocket,
  BridgeOptions,
  ContainerAttachment,
  LinkCounters,
  LinkEntry,
  LinkPort,
  NamespacePort,
  NftablesPort,
  NftFamily,
  ProcessNamespaces,
  RouteEntry,
  RouteOptions,
  SharedAttachment,
  SocketOptions,
  SocketPeer,
  SocketPort,
  Uplink,
} from './port-network.ts'
export type { KernelFacts, KernelPort, ProcessDetails, ProcessIdentity, ProcessPort } from './port-processes.ts'
