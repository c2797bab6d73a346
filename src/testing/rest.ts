/** A REST call. `body` is sent as JSON, or as it is if it is a text; `token` becomes a bearer token. */
export interface CallOptions { body?: unknown, token?: string | undefined, headers?: Record<string, string> }

/** The answer to a REST call. `body` is the parsed JSON, null for an empty one. Tests may read any field of it without a check. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface Answer { status: number, headers: Headers, body: any }

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>

/** Throws at an answer that is wrong. `body` is parsed JSON. */
export type AnswerCheck = (method: string, path: string, status: number, body: unknown) => void

/** Returns a function that makes REST calls to the server at this origin. `check` judges each answer. */
export function createCall (origin: string, check?: AnswerCheck): Call {
  return async (method, path, { body, token, headers } = {}) => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...body !== undefined && { 'content-type': 'application/json' },
        ...token && { authorization: `Bearer ${token}` },
        ...headers
      },
      ...body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }
    })
    const text = await response.text()
    const parsed = text ? JSON.parse(text) : null
    check?.(method, path, response.status, parsed)
    return { status: response.status, headers: response.headers, body: parsed }
  }
}
