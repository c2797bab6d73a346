import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Tells the benchmark where this peer listens, as Parley's own greeting does. */
export function announcePort (http: Server): void {
  console.log(`listening on http://127.0.0.1:${(http.address() as AddressInfo).port}`)
}
