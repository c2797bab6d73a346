import { setTimeout as delay } from 'node:timers/promises'
import { check, Deviation } from './verdict.ts'
import type { Witness } from './witness.ts'

// Cases read any field of an answer: judging them is their task.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface Answer { status: number, headers: Headers, body: any }

export interface CallOptions { token?: string | undefined, body?: unknown, headers?: Record<string, string> }

export type Rest = ReturnType<typeof createRest>

/** Makes REST calls to the server at this base URL. `deadline` bounds each, in milliseconds. */
export function createRest (base: string, witness: Witness, deadline: number) {
  async function once (method: string, path: string, { token, body, headers }: CallOptions): Promise<Answer> {
    const { response, text } = await answered(`an answer to ${method} ${path}`, fetch(base + path, {
      method,
      headers: {
        ...token !== undefined && { authorization: `Bearer ${token}` },
        ...body !== undefined && { 'content-type': 'application/json' },
        ...headers
      },
      ...body !== undefined && { body: JSON.stringify(body) },
      signal: AbortSignal.timeout(deadline)
    }))
    const answer = { status: response.status, headers: response.headers, body: parse(text) }
    witness.rest(answer.status, answer.body)
    return answer
  }

  /** Makes a call. One that comes too soon is made again after the time that the server names. */
  async function call (method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      const answer = await once(method, path, options)
      const wait = Number(answer.body?.retry_after_ms)
      if (![429, 503].includes(answer.status) || !(wait < 60_000) || tries === 3) return answer
      await delay(wait)
    }
  }

  return {
    call,

    /** Makes a call that has to succeed. @returns the body. */
    async must (method: string, path: string, options: CallOptions = {}): Promise<Answer['body']> {
      const { status, body } = await call(method, path, options)
      check(status >= 200 && status < 300, `success of ${method} ${path}`, { status, body })
      return body
    },

    /** Makes a call that has to be refused with this code. */
    async mustNot (method: string, path: string, code: string, options: CallOptions = {}): Promise<void> {
      const { status, body } = await call(method, path, options)
      check(status >= 400 && body?.code === code, `${code} to ${method} ${path}`, { status, body })
    }
  }
}

/** @throws Deviation where there is no answer: the time is over, or the connection is lost. */
async function answered (expected: string, pending: Promise<Response>): Promise<{ response: Response, text: string }> {
  try {
    const response = await pending
    return { response, text: await response.text() }
  } catch (error) {
    const { message, cause } = error as Error
    throw new Deviation(expected, (cause as Error | undefined)?.message || message)
  }
}

/** Answers that are not JSON are texts: NDJSON, or what something other than the server has answered. */
function parse (text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
