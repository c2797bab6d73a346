import { createMemoryBroker } from '../../src/broker/memory.ts'
import { testBroker } from '../contracts/broker.ts'

testBroker('memory', createMemoryBroker)
