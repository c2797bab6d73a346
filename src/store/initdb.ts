// A program that makes the files of an empty embedded database in the folder that its argument names. `engine.ts` runs it.
import { Engine } from './pglite.ts'

// The process that wanted the database is gone.
process.on('disconnect', () => process.exit(1))
try {
  const engine = new Engine(process.argv[2]!)
  await engine.waitReady
  await engine.close()
  process.exit(0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
