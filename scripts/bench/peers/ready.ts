import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Prints the port of this peer for the benchmark, in the same form as Parley prints its own. */
export function announcePort (http: Server): void {
  console.log(`listening on http://127.0.0.1:${(http.address() as AddressInfo).port}`)
}
