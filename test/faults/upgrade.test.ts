import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { upgrade } from './upgrade.ts'

t.test('[P27] [P30] G10: two instances of the last release are replaced by this one under load, and no client misses anything', async t => {
  passes(t, await upgrade(t, { clients: 12, rate: 40 }))
})
