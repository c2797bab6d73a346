import { subscribe } from 'node:diagnostics_channel'

/**
 * Takes note of every HTTP request that this process makes, those that ask for a WebSocket included, whether it is answered or not.
 * @returns the times, by `performance.now()`, to which more are added.
 */
export function countRequests (): number[] {
  const times: number[] = []
  const note = (): void => { times.push(performance.now()) }
  // `http.request`, which `ws` uses, too, and `fetch`.
  subscribe('http.client.request.start', note)
  subscribe('undici:request:create', note)
  return times
}
