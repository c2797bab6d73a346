/**
 * What a tab says to the worker. `hello` comes first: the tab holds the Web Lock of this name as long as it lives. `socket` numbers the
 * tab's connections, of which it has one at a time. `taken`: so many characters of frames have been read.
 */
export type FromTab =
  | { type: 'hello', lock: string, url: string }
  | { type: 'open', socket: number }
  | { type: 'send', socket: number, text: string }
  | { type: 'close', socket: number }
  | { type: 'taken', size: number }
  | { type: 'bye' }

/** What the worker says to a tab. `up`: there is a connection, so that a tab which waits for one need not wait any longer. */
export type ToTab =
  | { type: 'hello', lock: string }
  | { type: 'frame', socket: number, text: string }
  | { type: 'closed', socket: number, code: number, reason: string }
  | { type: 'up' }
