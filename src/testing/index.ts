import { startParley as start } from './parley.ts'
import type * as types from './types.ts'

export type * from './types.ts'
export { eventually } from './eventually.ts'
export const startParley: typeof types.startParley = start
