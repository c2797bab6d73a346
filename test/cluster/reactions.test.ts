import { t } from '../tap.ts'
import { testReactions } from './reactions.ts'
import { settings } from './settings.ts'

testReactions(t, await settings['two instances on PostgreSQL']!(t, { limits: { enabled: false } }), { isWhole: true })
