export { DEADLINE, eventually } from '../src/testing/eventually.ts'
