import type { Contract } from './contract.ts'
import type { Frame } from './connection.ts'
import { Deviation } from './verdict.ts'

/** The rows of the report that are judged by everything that all cases receive, not by a case of their own. */
export type Seen = 'replies' | 'notices' | 'errors' | 'closes' | 'forms'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** Requests that end the connection with a text of its own behind the reason. */
const OPEN_REASONS = new Set([1012])

export type Witness = ReturnType<typeof createWitness>

/** Compares every frame, close frame and REST error that any case receives with the tables of the protocol page. */
export function createWitness (contract: Contract) {
  const deviations = new Map<Seen, Deviation>()

  function note (row: Seen, expected: string, came: unknown): void {
    if (!deviations.has(row)) deviations.set(row, new Deviation(expected, came))
  }

  function shape (row: Seen, name: string, fields: string[], value: unknown): void {
    const missing = fields.filter(field => typeof value !== 'object' || value === null || !(field in value))
    if (missing.length > 0) note(row, `${name} with the field ${missing.join(', ')}`, value)
  }

  function forms (name: string, value: object): void {
    for (const [field, form] of Object.entries(value)) {
      if (['timestamp', 'server_time', 'created_at', 'expires_at'].includes(field) && typeof form === 'string' && !TIME.test(form)) {
        note('forms', `${name}.${field} as an ISO 8601 time in UTC with milliseconds`, form)
      }
      if (['id', 'channel_id', 'user_id', 'connection_id'].includes(field) && typeof form === 'string' && !ID.test(form)) {
        note('forms', `${name}.${field} as a UUIDv7 in small letters`, form)
      }
    }
  }

  function error (code: unknown, message: unknown, came: object): void {
    const known = contract.errors.get(String(code))
    if (!known) note('errors', 'a code of the table of errors', came)
    else if (known.text !== null && known.text !== message) note('errors', `the text "${known.text}" with ${code}`, came)
  }

  return {
    /** The first deviation from each table. */
    deviations,

    frame (frame: Frame): void {
      if (frame.type === 'error') return error(frame.code, frame.message, frame)
      forms(frame.type, frame)
      if (frame.type === 'success') {
        const fields = contract.replies.get(String(frame.action))
        if (!fields) note('replies', 'an action of the tables of requests and commands', frame)
        else shape('replies', `data of ${frame.action}`, fields, frame.data)
        if (typeof frame.data === 'object' && frame.data !== null) forms(String(frame.action), frame.data as object)
      } else if (contract.replies.has(frame.type) && !contract.notices.has(frame.type)) {
        shape('replies', frame.type, contract.replies.get(frame.type)!, frame)
      } else if (contract.notices.has(frame.type)) {
        shape('notices', frame.type, contract.notices.get(frame.type)!, frame)
      } else {
        note('notices', 'a type of the table of frames', frame)
      }
    },

    close (code: number, reason: string): void {
      const known = contract.closes.get(code)
      if (known !== undefined && known !== reason && !OPEN_REASONS.has(code)) note('closes', `the reason "${known}" with ${code}`, reason)
      if (known === undefined && code >= 4000) note('closes', 'a code of the table of close codes', `${code} ${reason}`)
    },

    rest (status: number, body: unknown): void {
      if (status < 400) return
      const answer = (body ?? {}) as { code?: unknown, message?: unknown }
      error(answer.code, answer.message, { status, ...answer })
      const known = contract.errors.get(String(answer.code))
      if (known && known.status !== status) note('errors', `HTTP ${known.status} with ${answer.code}`, { status, ...answer })
    }
  }
}
