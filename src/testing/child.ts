// The process of `startParley({ inProcess: false })`: starts a server and obeys the orders of the test over IPC. It ends with its parent.
import type { Order, Report } from './process.ts'
import { createScope } from './scope.ts'
import { startHere, type TestServer } from './server.ts'

const scope = createScope()
let server: TestServer | undefined

process.on('message', async (order: Order) => {
  try {
    tell({ id: order.id, result: await obey(order) })
  } catch (error) {
    tell({ id: order.id, error: (error as Error).message })
  }
})
process.once('disconnect', async () => {
  await scope.close()
  process.exit()
})
// Ctrl-C reaches this process too, and must not end it before the test's last requests.
process.on('SIGINT', () => {})

async function obey (order: Order): Promise<unknown> {
  if (order.name === 'start') {
    server = await startHere(scope, { config: order.value, onLine: line => tell({ line }) })
    return server.port
  }
  // The compiler does not see that name and value belong together.
  const act = server![order.name] as (value: unknown) => Promise<unknown>
  return act(order.value)
}

function tell (report: Report): void {
  if (process.connected) process.send!(report)
}
