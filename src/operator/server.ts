import { once } from 'node:events'
import type { Socket } from 'node:net'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Logger } from 'pino'
import { OperatorRequest, type OperatorAnswer } from '../schemas/operator.ts'
import { reasonOf } from '../store/database-error.ts'
import { UsageError, type OperatorContext } from './command.ts'
import { commands } from './commands.ts'
import { readLines } from './lines.ts'

/** Connections at a time. Further ones are refused. */
const MAX_CONNECTIONS = 4
/** Characters of a request. */
const MAX_REQUEST = 65_536
/** Characters of text in one line of an answer. */
const MAX_TEXT = 16_384
/** Milliseconds in which the request has to come, and in which the socket has to close after the answer. */
const PATIENCE = 5000
/** Milliseconds in which the other side has to take what it was sent. A person may be reading it page by page. */
const READING = 60_000

const isRequest = TypeCompiler.Compile(OperatorRequest)

/** Runs the commands that scripts send over the socket of the data directory, while this process has its database open. */
export function createOperatorServer ({ logger, ...context }: Omit<OperatorContext, 'print' | 'signal'> & { logger: Logger }) {
  const closing = new AbortController()
  const running = new Set<Promise<void>>()

  async function serve (socket: Socket): Promise<void> {
    const gone = new AbortController()
    const signal = AbortSignal.any([gone.signal, closing.signal])
    socket.on('close', () => gone.abort(new Error('the connection was closed')))
    // Without a listener, the error would end the process. The socket closes by itself.
    socket.on('error', () => {})
    const answer = (line: OperatorAnswer): Promise<void> => send(socket, line, signal)
    try {
      const request = await readRequest(socket, signal)
      logger.info({ command: request.command }, 'running a command of the operator')
      const run = commands[request.command](request.args)
      await run({ ...context, signal, print: text => printTo(answer, text) })
      await answer({ done: true })
    } catch (error) {
      if (!(error instanceof UsageError) && !signal.aborted) logger.error({ err: error }, 'a command of the operator failed')
      await answer({ failure: reasonOf(error) }).catch(() => { /* Nobody waits for the answer any more. */ })
    }
    socket.end()
    await closed(socket, gone.signal)
  }

  return {
    /** Takes a connection, which makes one request. */
    accept (socket: Socket): void {
      if (closing.signal.aborted || running.size >= MAX_CONNECTIONS) {
        socket.destroy()
        return
      }
      const served = serve(socket).finally(() => running.delete(served))
      running.add(served)
    },

    /** Interrupts all commands, and resolves once they have ended. */
    async close (): Promise<void> {
      closing.abort(new Error('the server is closing'))
      await Promise.all(running)
    }
  }
}

/** Resolves with the first line of a connection. @throws UsageError if it is no request of this release. */
async function readRequest (socket: Socket, signal: AbortSignal): Promise<OperatorRequest> {
  const line = await new Promise<string>((resolve, reject) => {
    readLines(socket, MAX_REQUEST, resolve)
    const within = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
    within.addEventListener('abort', () => reject(within.reason), { once: true })
  })
  const request = parse(line)
  if (!isRequest.Check(request)) throw new UsageError('the running server does not understand this command: is it of another release?')
  return request
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

async function printTo (answer: (line: OperatorAnswer) => Promise<void>, text: string): Promise<void> {
  const whole = `${text}\n`
  for (let at = 0; at < whole.length; at += MAX_TEXT) await answer({ text: whole.slice(at, at + MAX_TEXT) })
}

/** Resolves once the other side can take more. */
async function send (socket: Socket, line: OperatorAnswer, signal: AbortSignal): Promise<void> {
  if (socket.write(`${JSON.stringify(line)}\n`)) return
  await once(socket, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(READING)]) })
}

/** Resolves once the socket has closed, which it does in time even if the other side does not. */
async function closed (socket: Socket, gone: AbortSignal): Promise<void> {
  if (gone.aborted) return
  const late = setTimeout(() => socket.destroy(), PATIENCE)
  await once(gone, 'abort')
  clearTimeout(late)
}
