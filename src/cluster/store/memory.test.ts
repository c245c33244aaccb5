import { virtualClock } from '#base'

import { clusterStoreExam } from '../../../test/exam/cluster-store.ts'
import { memoryStore } from './memory.ts'

clusterStoreExam({
  name: 'memory',
  open: async () => {
    const clock = virtualClock()
    return await Promise.resolve({ store: memoryStore(clock), advance: clock.advance })
  },
})
