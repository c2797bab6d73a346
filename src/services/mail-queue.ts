import type { Logger } from 'pino'
import { resolvesWithin } from '../deadline.ts'
import { AppError } from '../errors.ts'

/** A mail in plain text. */
export interface Mail { to: string, subject: string, text: string }

/** Sends one mail. Rejects if the server did not take it, or if `signal` aborts first. */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>

/** Writes a mail when its turn comes. Null: none is to be sent. */
export type WriteMail = () => Promise<Mail | null>

export interface MailQueueDeps {
  send: SendMail
  /** Mails that the queue holds at most, those between two attempts included. */
  size: number
  logger: Pick<Logger, 'warn'>
  /** Milliseconds before each further attempt. Greylisting servers take a mail after some minutes. */
  delays?: number[]
  /** Milliseconds that one attempt may take. */
  patience?: number
}

/** Attempts that run at the same time. */
const CONCURRENCY = 4
const DELAYS_MS = [10_000, 60_000, 300_000, 900_000]
const PATIENCE_MS = 30_000

interface Entry { write: WriteMail, mail: Mail | null, attempts: number, dueAt: number }

export type MailQueue = ReturnType<typeof createMailQueue>

/**
 * Sends mails in the background, so that no request waits for a mail server. A mail that the server refuses for good is dropped; any other
 * is tried again. The queue is in memory: mails that wait when the process ends are lost, and people ask again.
 */
export function createMailQueue ({ send, size, logger, delays = DELAYS_MS, patience = PATIENCE_MS }: MailQueueDeps) {
  const waiting = new Set<Entry>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined

  function work (): void {
    clearTimeout(timer)
    if (closing.signal.aborted) return
    const now = performance.now()
    for (const entry of waiting) {
      if (running.size >= CONCURRENCY) return
      if (entry.dueAt > now) continue
      waiting.delete(entry)
      const attempt = run(entry).finally(() => {
        running.delete(attempt)
        work()
      })
      running.add(attempt)
    }
    if (waiting.size === 0) return
    const nextAt = Math.min(...Array.from(waiting, ({ dueAt }) => dueAt))
    timer = setTimeout(work, Math.max(0, nextAt - now)).unref()
  }

  async function run (entry: Entry): Promise<void> {
    entry.attempts++
    try {
      entry.mail ??= await entry.write()
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(patience)])
      if (entry.mail) await send(entry.mail, signal)
    } catch (error) {
      if (closing.signal.aborted) return
      const delay = delays[entry.attempts - 1]
      const again = delay !== undefined && !isFinal(error)
      logger.warn({ reason: reasonOf(error), attempts: entry.attempts, again }, 'mail not sent')
      if (!again) return
      entry.dueAt = performance.now() + delay
      waiting.add(entry)
    }
  }

  return {
    /** Queues a mail. Returns at once. @throws AppError `busy` if too many wait. */
    add (write: WriteMail): void {
      if (waiting.size + running.size >= size || closing.signal.aborted) throw new AppError('busy')
      waiting.add({ write, mail: null, attempts: 0, dueAt: 0 })
      work()
    },

    /** Gives the attempts that run up to `within` milliseconds, then ends them and drops all mails that wait. */
    async close (within: number): Promise<void> {
      clearTimeout(timer)
      const lost = waiting.size
      waiting.clear()
      await resolvesWithin(Promise.all(running), within)
      closing.abort()
      if (lost > 0) logger.warn({ mails: lost }, 'mails dropped at the end of the process')
    }
  }
}

/** What nodemailer's errors say beside their text. `responseCode`: the code of the server's answer. */
interface SmtpError extends Error { code?: string, responseCode?: number }

/** Whether the server has refused this mail for good. A refused login is not: the operator may correct the password. */
function isFinal (error: unknown): boolean {
  const { code, responseCode = 0 } = error as SmtpError
  return responseCode >= 500 && code !== 'EAUTH'
}

/** The reason for the log. An answer of the server may name the receiver, so only its code is shown. */
function reasonOf (error: unknown): string {
  const { code = 'error', responseCode, message } = error as SmtpError
  return responseCode === undefined ? `${code}: ${message.split('\n')[0]}` : `${code} ${responseCode}`
}
