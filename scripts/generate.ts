import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { createBroker, createPresence } from '../src/drivers.ts'
import { createLogger } from '../src/logger.ts'
import { openDatabase } from '../src/store/client.ts'
import { clientApiFiles } from './client-api.ts'
import { clientTypes } from './client-types.ts'
import { runCommand } from './command.ts'
import { referenceFiles } from './reference.ts'
import { root } from './root.ts'

/** `npm run generate` writes what is made of the schemas: the types of the client and the reference pages of docs/. */
await runCommand(async () => {
  const { config } = loadConfig({ DATABASE_DATA_DIR: 'memory://', LOG_LEVEL: 'warn' })
  const logger = createLogger(config.log.level)
  const database = await openDatabase(config.database, logger)
  await database.migrate()
  const broker = createBroker(config, logger)
  const presence = createPresence(config, broker, logger)
  const app = await buildApp({ config, database, broker, presence, jwtSecret: 'no token is signed with this secret', logger })
  await app.ready()
  const types = Object.entries(await clientTypes(app.swagger())).map(([name, text]) => [`client/src/generated/${name}`, text])
  write({ ...Object.fromEntries(types), ...await referenceFiles(app.swagger()) })
  // The pages of the client's API show these types.
  write(await clientApiFiles())
  await app.close()
  await presence.close()
  await broker.close()
  await database.close()
})

function write (files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text)
}
