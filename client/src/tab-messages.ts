/**
 * A message of a tab to the worker. `hello` comes first: the tab holds the Web Lock of this name as long as it lives. `socket` numbers the
 * tab's connections, of which it has one at a time. `taken`: frames of this weight have been read.
 */
export type FromTab =
  | { type: 'hello', lock: string, url: string }
  | { type: 'open', socket: number }
  | { type: 'send', socket: number, text: string }
  | { type: 'close', socket: number }
  | { type: 'taken', size: number }
  | { type: 'bye' }

/** A message of the worker to a tab. `up`: there is a connection, so that a tab which waits for one need not wait any longer. */
export type ToTab =
  | { type: 'hello', lock: string }
  | { type: 'frame', socket: number, text: string }
  | { type: 'closed', socket: number, code: number, reason: string }
  | { type: 'up' }

/** Characters that a frame counts for besides its text. */
const OVERHEAD = 200

/** How much a frame adds to what a tab has not read yet. The tab and the worker count alike. */
export function weightOf (text: string): number {
  return text.length + OVERHEAD
}
