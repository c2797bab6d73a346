import { shiftClock } from './clock.ts'
import { testConfig } from './config.ts'
import { createDatabaseSwitch } from './database-switch.ts'
import { startInstance, type Person } from './instance.ts'
import type { Scope } from './scope.ts'
import type { ConfigChange } from './types.ts'

/** A server that obeys its test, in the process of the test or in another one. */
export interface TestServer {
  port: number
  /** Registers a new user and logs them in. */
  register (name: string): Promise<Person>
  /** Switches the embedded database off or on. */
  turnDatabase (isOn: boolean): Promise<void>
  /** Moves the wall clock of the server's process. */
  advance (ms: number): Promise<void>
}

export interface TestServerOptions {
  config: ConfigChange
  /** Receives each line of the server's log, a JSON text. */
  onLine: (line: string) => void
}

/** Starts a server in this process. It ends with the scope, which takes back what its clock was moved by. @throws ConfigError */
export async function startHere (scope: Scope, { config, onLine }: TestServerOptions): Promise<TestServer> {
  const database = createDatabaseSwitch()
  let advanced = 0
  scope.teardown(() => shiftClock(-advanced))
  const { port, register } = await startInstance(scope, { config: testConfig(config), wrapDatabase: database.wrap, onLine })
  return {
    port,
    register,
    async turnDatabase (isOn) { database.turn(isOn) },
    async advance (ms) {
      advanced += ms
      shiftClock(ms)
    }
  }
}
