import type { Sent } from './traffic.ts'

/** What a request is answered with; `after` runs once the reply is on its way. */
export interface Reply { frame: { type: ReplyType, [field: string]: unknown }, after?: () => void }
export type ReplyType = Exclude<Sent, 'welcome' | 'entry' | 'notice'>

export function success (action: string, data: object): Reply {
  return { frame: { type: 'success', action, data } }
}
