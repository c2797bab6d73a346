import { createMemoryPresence } from '../../src/presence/memory.ts'
import { testPresence } from '../contracts/presence.ts'

testPresence('memory', createMemoryPresence)
