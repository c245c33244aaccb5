import { messageOf, type Log } from '#base'
import type { Collection } from '#engine/collection'
import { policyText } from '#engine/collection'

import type { Engine } from '../engine.ts'
import type { Settings } from './settings.ts'

/** Reads the settings again and says so, as dockerd does; settings that are wrong change nothing. */
export function reloadSettings(
  settings: Settings,
  { engine, collection, log }: { readonly engine: Engine; readonly collection: Collection; readonly log: Log },
): void {
  try {
    const { changed, afterRestart } = settings.reload()
    collection.start()
    log.info('settings read again', { changed: changed.join(' '), afterRestart: afterRestart.join(' ') })
    const { id, hostname } = engine.docker.system.info()
    engine.events.publish({ type: 'daemon', action: 'reload', actorId: id, attributes: { name: hostname, ...shown(settings) } })
  } catch (error) {
    log.error('read the settings again: they stay as they were', { error: messageOf(error) })
  }
}

/** With dockerd's names where it has them. */
function shown(settings: Settings): Readonly<Record<string, string>> {
  const { collection, registries, labels, logLevel, containerLog } = settings.current()
  return {
    debug: String(logLevel === 'debug'),
    gc: policyText(collection),
    'insecure-registries': JSON.stringify(registries.insecure),
    labels: JSON.stringify(labels),
    'log-driver': containerLog.driver,
    'log-level': logLevel,
    'log-opts': JSON.stringify(containerLog.options),
    'registry-mirrors': JSON.stringify(registries.mirrors),
  }
}
