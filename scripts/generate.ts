import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { createBroker, createPresence } from '../src/drivers.ts'
import { createLogger } from '../src/logger.ts'
import { openDatabase } from '../src/store/client.ts'
import { asyncApiFiles } from './asyncapi.ts'
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
  for (const [name, text] of Object.entries(await clientTypes(app.swagger()))) {
    writeFileSync(join(root, 'client/src/generated', name), text)
  }
  for (const [path, text] of Object.entries(await referenceFiles(app.swagger()))) writeFileSync(join(root, path), text)
  for (const [path, text] of Object.entries(asyncApiFiles())) writeFileSync(join(root, path), text)
  await app.close()
  await presence.close()
  await broker.close()
  await database.close()
})
