import { t } from '../tap.ts'
import { testReactions } from './reactions.ts'
import { settings } from './settings.ts'

testReactions(t, await settings['the embedded database']!(t, { limits: { enabled: false } }), { isWhole: true })
